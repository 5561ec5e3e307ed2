"""Searching everything at once: agents, blocks, messages, passages, files and tools that hold all the words.

Messages and passages are found by their postings, of which every index begins with the owner: one look into it for each owner and word,
whatever there is besides. The rest is so little that it is read through.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ade.excerpts import Part, excerpt
from ade.links import message_address, passage_address
from agents_core.memory.recall.search import SPOKEN_SQL
from agents_core.memory.recall.turns import spoken_text
from agents_core.memory.words import like, phrases, query_words, storable
from agents_core.models import Agent, Block, File, Message, Passage, Tool
from agents_core.models.pipeline import Statement, run_sync

FEW, MANY = 5, 100
"""Shown of each kind: beside the others, and alone."""

_RANKED, _NARROWED = 200, 10_000
"""Documents that are looked at, best first: where all can be shown, and where more is asked of them than their words."""

_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Found:
    """``detail`` says where it is; ``address`` opens exactly it."""

    title: Sequence[Part]
    address: str
    excerpt: Sequence[Part]
    detail: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """What was found of one kind. ``has_more``: than are shown."""

    kind: str
    title: str
    icon: str
    found: Sequence[Found]
    has_more: bool = False


@dataclass(frozen=True)
class Search:
    """``text`` are words, all of which must be there; those in double quotes as they stand. ``agent_id`` "": of every agent; ``start`` and
    ``end`` are aware and inclusive."""

    text: str
    agent_id: str = ""
    start: datetime | None = None
    end: datetime | None = None

    @cached_property
    def given(self) -> str:
        return storable(self.text)[:_LONGEST].strip()

    @cached_property
    def phrases(self) -> list[str]:
        return phrases(self.given)

    @cached_property
    def literal(self) -> list[str]:
        """What is looked for where no index knows stems: the phrases, and each word besides."""
        rest = self.given
        for phrase in self.phrases:
            rest = rest.replace(phrase, " ")
        return [*self.phrases, *(word for word in (each.strip('"“”') for each in rest.split()) if word)]

    @cached_property
    def stems(self) -> list[str]:
        """The lexemes under which postings stand; none of a query of stop words alone."""
        words = " ".join(query_words(self.given))
        return list(run_sync([Statement("SELECT tsvector_to_array(to_tsvector('english', %s))", (words,))])[0][0][0])

    def within(self, rows: "QuerySet[Any]", moment: str) -> "QuerySet[Any]":
        """Those of ``rows`` whose ``moment`` lies in the time asked for."""
        rows = rows.filter(**{f"{moment}__gte": self.start}) if self.start else rows
        return rows.filter(**{f"{moment}__lte": self.end}) if self.end else rows

    def holding(self, rows: "QuerySet[Any]", *fields: str) -> "QuerySet[Any]":
        """Those of ``rows`` that hold each word in one of ``fields``."""
        for word in self.literal:
            held = Q()
            for field in fields:
                held |= Q(**{f"{field}__icontains": word})
            rows = rows.filter(held)
        return rows

    def excerpt(self, *texts: str | None) -> list[Part]:
        """Of the first of ``texts`` that holds a word, else of the first."""
        excerpts = [excerpt(text, self.literal, self.stems) for text in texts if text] or [[]]
        return next((parts for parts in excerpts if any(part.is_found for part in parts)), excerpts[0])


def groups(search: Search, kind: str = "") -> list[Group]:
    """What was found, of each kind or of one; kinds without anything are left out."""
    if not search.literal:
        return []
    chosen = {kind: KINDS[kind]} if kind in KINDS else KINDS
    limit = MANY if kind in KINDS else FEW
    return [group for name in chosen if (group := _group(name, search, limit)).found]


def _group(kind: str, search: Search, limit: int) -> Group:
    title, icon, find = KINDS[kind]
    found = find(search, limit + 1)
    return Group(kind, _(title), icon, found[:limit], has_more=len(found) > limit)


# --- what is read through -------------------------------------------------------------------------------------------


def _agents(search: Search, limit: int) -> list[Found]:
    rows = Agent.objects.filter(hidden=False).order_by("-updated_at", "id")
    rows = rows.filter(id=search.agent_id) if search.agent_id else rows
    rows = search.holding(search.within(rows, "updated_at"), "name", "description", "system", "model", "id")
    return [
        Found(
            search.excerpt(agent.name),
            f"/agents/{agent.id}",
            search.excerpt(agent.description, agent.system, agent.model),
            agent.model,
            agent.updated_at,
        )
        for agent in rows[:limit]
    ]


def _blocks(search: Search, limit: int) -> list[Found]:
    rows = Block.objects.filter(hidden=False).order_by("-updated_at", "id").prefetch_related("agents")
    rows = rows.filter(agents=search.agent_id) if search.agent_id else rows
    rows = search.holding(search.within(rows, "updated_at"), "label", "value", "description", "id")
    return [_block(block, search) for block in rows[:limit]]


def _block(block: Block, search: Search) -> Found:
    holders = list(block.agents.all())
    home = next((agent for agent in holders if agent.id == search.agent_id), holders[0] if len(holders) == 1 else None)
    address = f"/agents/{home.id}/memory?block={block.id}" if home else f"/blocks/{block.id}"
    names = ", ".join(agent.name for agent in holders[:3]) or _("held by no agent")
    return Found(
        search.excerpt(block.label), address, search.excerpt(block.value, block.description), names, block.updated_at
    )


def _files(search: Search, limit: int) -> list[Found]:
    rows = File.objects.select_related("folder").order_by("-created_at", "id")
    rows = rows.filter(folder__agent_links__agent=search.agent_id) if search.agent_id else rows
    rows = search.holding(search.within(rows, "created_at"), "name", "id")
    return [
        Found(
            search.excerpt(file.name),
            f"/folders/{file.folder_id}?file={file.id}",
            [],
            file.folder.name,
            file.created_at,
        )
        for file in rows[:limit]
    ]


def _tools(search: Search, limit: int) -> list[Found]:
    rows = Tool.objects.order_by("name")
    rows = rows.filter(agents=search.agent_id) if search.agent_id else rows
    rows = search.holding(search.within(rows, "updated_at"), "name", "description", "source_code", "id")
    return [
        Found(
            search.excerpt(tool.name),
            f"/tools/{tool.id}",
            search.excerpt(tool.description, tool.source_code),
            tool.tool_type.replace("_", " "),
            tool.updated_at,
        )
        for tool in rows[:limit]
    ]


# --- what has postings ----------------------------------------------------------------------------------------------


def postings_statement(search: Search, postings: str, owner: str, document: str, owners: str) -> Statement:
    """The ids and scores of the documents that hold every lexeme, best first. ``owners``: SQL for the ids whose postings are asked.

    The rarest lexeme is followed, and the others are looked up for each of its documents; of one that stands in more than ``_NARROWED`` so
    many are looked at. The score is that lexeme's frequency, which counts the less the longer the text is, as in BM25.
    """
    narrowed = bool(search.start or search.end or search.phrases)
    of_owner = f"FROM {postings} WHERE {owner} = owners.id AND lexeme"
    sql = f"""
    WITH owners AS MATERIALIZED ({owners}),
    counted AS MATERIALIZED (
        SELECT lexeme, (
            SELECT count(*) FROM (
                SELECT FROM owners CROSS JOIN LATERAL (SELECT {of_owner} = asked.lexeme OFFSET 0) AS posting LIMIT {_NARROWED}
            ) AS found
        ) AS documents FROM unnest(%(stems)s::text[]) AS asked(lexeme)
    ),
    rarest AS MATERIALIZED (SELECT lexeme FROM counted ORDER BY documents, lexeme LIMIT 1),
    found AS MATERIALIZED (
        SELECT id, {document}, frequency, length FROM owners CROSS JOIN LATERAL (
            SELECT {document}, frequency, length {of_owner} = (SELECT lexeme FROM rarest) OFFSET 0
        ) AS posting LIMIT {_NARROWED}
    )
    SELECT {document}, frequency / (frequency + 0.3::float8 + 0.02::float8 * length) AS score FROM found AS owners
    WHERE NOT EXISTS (
        SELECT FROM unnest(%(stems)s::text[]) AS asked(lexeme)
        WHERE NOT EXISTS (SELECT {of_owner} = asked.lexeme AND {document} = owners.{document} OFFSET 0)
    )
    ORDER BY score DESC LIMIT %(limit)s
    """
    limit = _NARROWED if narrowed else _RANKED
    return Statement(sql, {"stems": search.stems, "agent": search.agent_id, "limit": limit})


_AGENTS = "SELECT id FROM agent WHERE CASE WHEN %(agent)s = '' THEN NOT hidden ELSE id = %(agent)s END"
_ARCHIVES = """
    SELECT id FROM archive WHERE %(agent)s = ''
    UNION SELECT archive_id FROM agent_archive WHERE agent_id = %(agent)s
    UNION SELECT archive_id FROM agent_folder JOIN folder ON folder.id = folder_id WHERE agent_id = %(agent)s
"""


def message_statement(search: Search) -> Statement:
    return postings_statement(search, "message_term", "agent_id", "message_id", _AGENTS)


def passage_statement(search: Search) -> Statement:
    return postings_statement(search, "passage_term", "archive_id", "passage_id", _ARCHIVES)


def _messages(search: Search, limit: int) -> list[Found]:
    rows = search.within(Message.objects.select_related("agent"), "created_at")
    if search.phrases:
        wanted = [like(phrase) for phrase in search.phrases]
        rows = rows.extra(where=[f"{SPOKEN_SQL} ILIKE ALL (%s::text[])"], params=[wanted])
    return [_message(row, search) for row in _ranked(search, message_statement, rows)[:limit]]


def _message(message: Message, search: Search) -> Found:
    said = spoken_text(message.role, message.content, message.tool_calls)
    address = message_address(message.agent_id, message.id)
    return Found([Part(message.agent.name)], address, search.excerpt(said), message.role, message.created_at)


def _passages(search: Search, limit: int) -> list[Found]:
    rows = search.within(Passage.objects.filter(is_deleted=False).select_related("archive"), "created_at")
    for phrase in search.phrases:
        rows = rows.filter(text__icontains=phrase)
    placed = ((row, passage_address(row)) for row in _ranked(search, passage_statement, rows)[:limit])
    return [_passage(row, address, search) for row, address in placed if address]


def _passage(passage: Passage, address: str, search: Search) -> Found:
    name = passage.author if passage.metadata.get("file_id") else passage.archive.name
    detail = ", ".join(passage.tags) if not passage.metadata.get("file_id") else "file"
    return Found(
        [Part(name or passage.archive.name)], address, search.excerpt(passage.text), detail, passage.created_at
    )


def _ranked(search: Search, statement: Callable[[Search], Statement], rows: "QuerySet[Any]") -> list[Any]:
    """Those of ``rows`` that the statement finds, best first, and of those alike the newest."""
    if not search.stems:
        return []
    scores: dict[str, float] = dict(run_sync([statement(search)])[0])
    found = rows.filter(pk__in=list(scores))
    return sorted(found, key=lambda row: (-scores[row.pk], -row.created_at.timestamp()))


KINDS: Mapping[str, tuple[str, str, Callable[[Search, int], list[Found]]]] = {
    "agents": (gettext_noop("Agents"), "agent", _agents),
    "blocks": (gettext_noop("Blocks"), "memory", _blocks),
    "messages": (gettext_noop("Messages"), "message", _messages),
    "passages": (gettext_noop("Passages"), "archive", _passages),
    "files": (gettext_noop("Files"), "file", _files),
    "tools": (gettext_noop("Tools"), "tool", _tools),
}
