"""What the command palette offers: places of every kind by a few letters of their name, a step by its number, anything by its id."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ade import links
from ade.fuzzy import best, pattern
from ade.panels.base import PANELS
from ade.panels.settings import SECTIONS
from ade.views.workspace import ASIDE, DRAWER, MAIN
from agents_core.errors import NotFound
from agents_core.models import Agent, AgentBlock, Block, File, Folder, Group, McpServer, Step, Tool

_OF_A_KIND = 6
_LOOKED_AT = 200
"""Rows of one kind that the letters leave and that are then ranked."""

_LONGEST = 200
_STEP = re.compile(r"(?:step\s*)?#?\s*(\d{1,12})", re.IGNORECASE)
_ID = re.compile(r"[a-z_]+-[0-9a-f]{8}-[0-9a-f-]{27}|case-\d+")


@dataclass(frozen=True, slots=True)
class Option:
    """``detail`` tells apart what has the same title: the agent of a block, the folder of a file."""

    title: str
    address: str
    icon: str
    noun: str
    detail: str = ""


_PAGES = (
    (gettext_noop("Agents"), "/agents", "agent"),
    (gettext_noop("Shared blocks"), "/blocks", "memory"),
    (gettext_noop("Tools"), "/tools", "tool"),
    (gettext_noop("New tool"), "/tools/new", "plus"),
    (gettext_noop("Files"), "/folders", "file"),
    (gettext_noop("MCP servers"), "/mcp-servers", "plug"),
    (gettext_noop("Groups"), "/groups", "agent"),
    (gettext_noop("Runs"), "/runs", "play"),
    (gettext_noop("Batches"), "/batches", "send"),
    (gettext_noop("Search"), "/search", "search"),
    (gettext_noop("Providers"), "/settings", "settings"),
    (gettext_noop("Health"), "/health", "info"),
    (gettext_noop("Admin"), "/admin/", "lock"),
    (gettext_noop("Help"), "/help", "info"),
    (gettext_noop("API documentation"), "/docs", "terminal"),
)


def options(query: str, agent_id: str = "") -> list[Option]:
    """What ``query`` may mean on a page of the agent ``agent_id``, best of each kind first; without one the pages and newest agents."""
    query = query[:_LONGEST].replace("\x00", "").strip()
    agent = Agent.objects.filter(id=agent_id).first() if agent_id else None
    if not query:
        return [*_parts(agent), *_pages(), *_agents("")]
    found = [*_by_id(query), *_steps(query, agent)]
    found += best(query, [*_parts(agent), *_pages()], _title, _OF_A_KIND)
    for kind in _KINDS:
        found += kind(query)
    return [*found, *_blocks(query, agent)]


def _pages() -> list[Option]:
    return [Option(_(title), address, icon, _("page")) for title, address, icon in _PAGES]


def _title(option: Option) -> str:
    return option.title


def _by_id(query: str) -> list[Option]:
    if not _ID.fullmatch(query):
        return []
    try:
        return [Option(query, links.address_of(query), "link", _("by its id"))]
    except NotFound:
        return []


def _steps(query: str, agent: Agent | None) -> list[Option]:
    """The step of that number: of the agent whose page it is, else of those that were active last."""
    asked = _STEP.fullmatch(query)
    if asked is None:
        return []
    number = int(asked[1])
    holders = [agent] if agent else Agent.objects.filter(step_count__gte=number).order_by("-updated_at")[:_OF_A_KIND]
    taken = set(Step.objects.filter(agent__in=holders, number=number).values_list("agent_id", flat=True))
    return [
        Option(
            _("Step {number}").format(number=number), f"/agents/{each.id}/steps/{number}", "clock", _("step"), each.name
        )
        for each in holders
        if each.id in taken
    ]


def _parts(agent: Agent | None) -> list[Option]:
    """The panels and settings of the agent whose page it is."""
    if agent is None:
        return []
    address = f"/agents/{agent.id}"
    panels = [
        Option(_(PANELS.load(slug).title), f"{address}?{place}={slug}", "eye", _("panel"), agent.name)
        for place, slugs in (("main", MAIN), ("aside", ASIDE), ("drawer", DRAWER))
        for slug in slugs
    ]
    sections = [
        Option(
            _("Settings: {title}").format(title=_(section.title)),
            f"{address}?main=settings&section={name}",
            "settings",
            _("settings"),
            agent.name,
        )
        for name, section in SECTIONS.items()
    ]
    memory = Option(_("Memory page"), f"{address}/memory", "memory", _("page"), agent.name)
    return [
        memory,
        Option(_("Rules"), f"{address}/rules", "fork", _("page"), agent.name),
        *panels,
        *sections,
    ]


def _named(rows: "QuerySet[Any]", query: str, *fields: str) -> "QuerySet[Any]":
    """The rows one of whose ``fields`` holds the letters of each word."""
    for word in query.split():
        rows = rows.filter(_any(fields, word))
    return rows[:_LOOKED_AT]


def _any(fields: Iterable[str], word: str) -> Q:
    held = Q()
    for field in fields:
        held |= Q(**{f"{field}__regex": pattern(word)})
    return held


def _kind(
    rows: Callable[[], "QuerySet[Any]"], field: str, option: Callable[[Any], Option]
) -> Callable[[str], list[Option]]:
    def found(query: str) -> list[Option]:
        return [option(row) for row in _best(_named(rows(), query, field), query, field)]

    return found


def _best(rows: "QuerySet[Any]", query: str, field: str) -> Sequence[Any]:
    if not query:
        return list(rows[:_OF_A_KIND])
    return best(query, rows, lambda row: getattr(row, field), _OF_A_KIND)


_agents = _kind(
    lambda: Agent.objects.filter(hidden=False).order_by("-updated_at"),
    "name",
    lambda agent: Option(agent.name, f"/agents/{agent.id}", "agent", _("agent")),
)
_KINDS = (
    _agents,
    _kind(
        lambda: Tool.objects.order_by("name"),
        "name",
        lambda tool: Option(tool.name, f"/tools/{tool.id}", "tool", _("tool")),
    ),
    _kind(
        lambda: Folder.objects.order_by("name"),
        "name",
        lambda folder: Option(folder.name, f"/folders/{folder.id}", "archive", _("folder")),
    ),
    _kind(
        lambda: File.objects.select_related("folder").order_by("-created_at"),
        "name",
        lambda file: Option(
            file.name, f"/folders/{file.folder_id}?file={file.id}", "file", _("file"), file.folder.name
        ),
    ),
    _kind(
        lambda: Group.objects.filter(hidden=False).order_by("-created_at"),
        "description",
        lambda group: Option(group.description or group.id, f"/groups/{group.id}", "agent", _("group")),
    ),
    _kind(
        lambda: McpServer.objects.order_by("name"),
        "name",
        lambda server: Option(server.name, f"/mcp-servers/{server.id}", "plug", _("MCP server")),
    ),
)


def _blocks(query: str, agent: Agent | None) -> list[Option]:
    """Many agents call a block the same: each comes with who holds it, those of the agent whose page it is first."""
    rows = Block.objects.filter(hidden=False).order_by("-updated_at")
    own = rows.filter(agents=agent) if agent else rows.none()
    found = {block.id: block for part in (own, rows) for block in _best(_named(part, query, "label"), query, "label")}
    shown = list(found.values())[:_OF_A_KIND]
    return [_block_option(block, agent, _holders(shown)) for block in shown]


def _holders(blocks: Sequence[Any]) -> dict[str, list[Agent]]:
    holders: dict[str, list[Agent]] = {}
    for link in AgentBlock.objects.filter(block__in=blocks).select_related("agent").order_by("id"):
        holders.setdefault(link.block_id, []).append(link.agent)
    return holders


def _block_option(block: Any, agent: Agent | None, holders: dict[str, list[Agent]]) -> Option:
    held = holders.get(block.id, [])
    names = ", ".join(each.name for each in held[:3]) + (" …" if len(held) > 3 else "")
    home = agent if agent in held else held[0] if len(held) == 1 else None
    address = f"/agents/{home.id}/memory?block={block.id}" if home else f"/blocks/{block.id}"
    return Option(block.label, address, "memory", _("block"), names)
