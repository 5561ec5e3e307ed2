"""Groups of agents as their pages show them: who is in one, and what was said in its turns."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, F, Max, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ade.fragments import Fragment
from ade.status import workspace_fragment
from agents_core.models import (
    ACTIVE,
    SLEEPTIME_GROUPS,
    Agent,
    Block,
    Group,
    GroupAgent,
    GroupKind,
    GroupTurn,
    Message,
    Role,
    Run,
    RunStatus,
)
from agents_core.runtime.speech import plain_text, said_text

PAGE = 50
TURNS = 20

KINDS = {
    GroupKind.ROUND_ROBIN: (gettext_noop("round robin"), gettext_noop("Each member speaks in turn.")),
    GroupKind.SUPERVISOR: (
        gettext_noop("supervisor"),
        gettext_noop("The one who leads is asked, and asks the members by its tool."),
    ),
    GroupKind.DYNAMIC: (
        gettext_noop("dynamic"),
        gettext_noop("The one who leads says who speaks next, until somebody says the word that ends it."),
    ),
    GroupKind.SLEEPTIME: (
        gettext_noop("sleep-time"),
        gettext_noop("The members tend the memory of the one who leads."),
    ),
    GroupKind.VOICE_SLEEPTIME: (
        gettext_noop("voice sleep-time"),
        gettext_noop("The members tend the memory of the one who leads."),
    ),
}
"""What each kind is called, and how it decides who speaks."""

FORMED = {kind: said for kind, said in KINDS.items() if kind not in SLEEPTIME_GROUPS}
"""The kinds that are made here; those that tend memory are made with the agent they tend."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What an agent said in a run of a turn. ``chooses``: it only says who speaks next. Empty ``texts``: nothing yet."""

    run: Run
    texts: list[str]
    chooses: bool

    @property
    def address(self) -> str:
        return f"/agents/{self.run.agent_id}#turn-{self.run.id}"

    @property
    def is_active(self) -> bool:
        return self.run.status in ACTIVE


@dataclass(frozen=True, slots=True)
class GroupTurnView:
    """A turn: what the group was told, and what was said to it, in order."""

    turn: GroupTurn
    inputs: list[str]
    remarks: list[Remark]

    @property
    def dom_id(self) -> str:
        return f"turn-{self.turn.id}"

    @property
    def error(self) -> str:
        return (self.turn.error or {}).get("message") or _("The worker stopped.")


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group with its members in the order of speaking, and on its own page the ``blocks`` that it shares."""

    group: Group
    members: list[Agent]
    blocks: list[Block] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.group.description or ", ".join(member.name for member in self.members[:3]) or self.group.id

    @property
    def is_tending(self) -> bool:
        return self.group.manager_type in SLEEPTIME_GROUPS

    @property
    def kind(self) -> str:
        return _(KINDS[GroupKind(self.group.manager_type)][0])

    @property
    def kind_text(self) -> str:
        return _(KINDS[GroupKind(self.group.manager_type)][1])


def listed_groups() -> "QuerySet[Group, Group]":
    """All groups that are not hidden, the one spoken to last first; each with ``turn_total`` and ``last_turn_at``."""
    found = Group.objects.filter(hidden=False).select_related("manager")
    counted = found.annotate(turn_total=Count("turns"), last_turn_at=Max("turns__created_at"))
    return counted.order_by(F("last_turn_at").desc(nulls_last=True), "-created_at", "id")


def groups_of(agent: Agent) -> list[GroupView]:
    """The groups that an agent is in or leads, oldest first."""
    found = Group.objects.filter(Q(manager=agent) | Q(members__agent=agent), hidden=False).distinct()
    return group_views(found.order_by("created_at", "id"))


def list_context(number: str | None) -> dict[str, Any]:
    """What _group_list.html draws of the page ``number``."""
    page = Paginator(listed_groups(), PAGE).get_page(number)
    return {"page": page, "views": group_views(page.object_list)}


def list_fragments(number: str | None) -> list[Fragment]:
    return [Fragment("group-list", "ade/partials/_group_list.html", list_context(number)), workspace_fragment("groups")]


def view_of(group: Group) -> GroupView:
    """The view of a group on its own page."""
    [view] = group_views([group])
    shared = Block.objects.in_bulk(group.shared_block_ids)
    return replace(view, blocks=[shared[block_id] for block_id in group.shared_block_ids if block_id in shared])


def group_views(groups: Iterable[Group]) -> list[GroupView]:
    """The views of ``groups``, in their order, in one query."""
    listed = list(groups)
    members: dict[str, list[Agent]] = defaultdict(list)
    for link in GroupAgent.objects.filter(group__in=listed).select_related("agent").order_by("id"):
        members[link.group_id].append(link.agent)
    return [GroupView(group, members[group.id]) for group in listed]


def turn_views(group: Group, before: str = "") -> tuple[list[GroupTurnView], str | None]:
    """A page of a group's turns, oldest first, those before the turn ``before``; and the turn before which an older page begins."""
    found = GroupTurn.objects.filter(group=group).order_by("-created_at", "-id")
    edge = GroupTurn.objects.filter(group=group, id=before).first() if before else None
    if edge is not None:
        found = found.filter(created_at__lt=edge.created_at)
    turns = list(found[: TURNS + 1])
    views = _views(group, turns[:TURNS][::-1])
    return views, turns[TURNS - 1].id if len(turns) > TURNS else None


def _views(group: Group, turns: Sequence[GroupTurn]) -> list[GroupTurnView]:
    run_ids = [run_id for turn in turns for run_id in turn.run_ids]
    runs = Run.objects.select_related("agent").in_bulk(run_ids)
    said: dict[str, list[str]] = defaultdict(list)
    for row in Message.objects.filter(run__in=run_ids, role=Role.ASSISTANT).order_by("seq"):
        run = runs[row.run_id or ""]
        if text := said_text(run.agent.agent_type, row.content, row.tool_calls):
            said[run.id].append(text)
    return [
        GroupTurnView(
            turn,
            [plain_text(message["content"]) for message in turn.request.get("messages", ())],
            [_remark(group, runs[run_id], said[run_id]) for run_id in turn.run_ids if run_id in runs],
        )
        for turn in turns
    ]


def _remark(group: Group, run: Run, texts: list[str]) -> Remark:
    chooses = group.manager_type == GroupKind.DYNAMIC and run.agent_id == group.manager_id
    return Remark(run, texts, chooses)


def state(group: Group) -> dict[str, Any]:
    """What the head of the page says: the turn that goes on, if one does, else how the last one ended."""
    turns = GroupTurn.objects.filter(group=group)
    active = turns.filter(status__in=ACTIVE).order_by("created_at", "id").first()
    last = active or turns.order_by("-created_at", "-id").first()
    if last is None:
        return {"name": "idle", "words": _("nothing said yet"), "active": None}
    if active is None:
        ended = last.status in (RunStatus.FAILED, RunStatus.CANCELLED)
        return {
            "name": last.status if last.status == RunStatus.FAILED else "idle",
            "words": _(last.status) if ended else _("idle"),
            "active": None,
        }
    queued = active.status == RunStatus.CREATED
    words = _("stopping") if active.cancel_requested else _("queued") if queued else _("speaking")
    return {"name": "queued" if queued else "running", "words": words, "active": active}


def live_fragments(group: Group) -> list[Fragment]:
    """All of the page that can change while it is open, as it is now."""
    views, about = turn_views(group)[0], {"view": view_of(group), "group": group, "state": state(group)}
    found = [
        Fragment("group-name", "ade/partials/_group_name.html", about),
        Fragment("group-state", "ade/partials/_group_state.html", about),
        Fragment("group-facts", "ade/partials/_group_facts.html", about),
    ]
    if views:
        found.append(Fragment("trace-empty", swap="remove"))
    return [
        *found,
        *(
            Fragment(view.dom_id, "ade/partials/_group_turn.html", {"view": view, "group": group}, "append", "trace")
            for view in views
        ),
    ]
