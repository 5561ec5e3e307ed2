"""What a person or a client may do with groups of agents."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256
from typing import Any

from django.db import transaction

from agents_core.actions import blocks, runs
from agents_core.actions.agents import in_order, reset_messages
from agents_core.actions.messages import Input, RunOptions
from agents_core.errors import Conflict, InvalidInput, NotFound, Refused
from agents_core.events.doorbell import ring
from agents_core.events.publish import lock_agents, publish
from agents_core.events.types import AgentChanged, AnyEvent, GroupChanged, GroupTurnChanged
from agents_core.models import (
    ACTIVE,
    SLEEPTIME_GROUPS,
    Agent,
    AgentTool,
    Group,
    GroupAgent,
    GroupKind,
    GroupTurn,
    Run,
    Tool,
)
from agents_core.models.pipeline import Statement, run_sync
from agents_core.queue.tasks import defer_group_turn

SETTINGS = (
    "manager_type",
    "termination_token",
    "max_turns",
    "sleeptime_agent_frequency",
    "sleeptime_idle_s",
    "max_message_buffer_length",
    "min_message_buffer_length",
    "description",
    "hidden",
)
"""The fields of a group that are set as they are; its members, its manager and its shared blocks are set by name."""

_ASKING = "send_message_to_agent_and_wait_for_reply"


class ChangedSince(Conflict):
    """The group is no longer what somebody saw who wants to change it."""

    code = "group_changed"


class TurnNotActive(Conflict):
    """The turn has ended: there is nothing to cancel."""

    code = "turn_not_active"


def create(
    agent_ids: Sequence[str], manager_id: str | None = None, shared_block_ids: Sequence[str] = (), **settings: Any
) -> Group:
    """A new group; ``settings`` are of ``SETTINGS``.

    Raises ``NotFound`` for an agent or a block, ``Refused`` for a group that could not work, ``Conflict`` when another group tends the
    manager's memory.
    """
    with transaction.atomic():
        group = Group(manager_id=manager_id, **settings)
        _check(group, agent_ids)
        everybody = _lock((), [*agent_ids, *([manager_id] if manager_id else [])])
        group.save(force_insert=True)
        _set_members(group, agent_ids)
        _share(group, shared_block_ids)
        _equip(group)
        _tell(everybody, GroupChanged(group.id, "created"))
    return group


def get(group_id: str) -> Group:
    """Raises ``NotFound``."""
    group = Group.objects.filter(pk=group_id).first()
    if group is None:
        raise NotFound(f"There is no group {group_id}.")
    return group


def stamp(group: Group) -> str:
    """The same for a group as long as nothing is changed of it that ``modify`` changes."""
    held = [getattr(group, name) for name in SETTINGS]
    return sha256(repr([*held, group.manager_id, member_ids(group.id), group.shared_block_ids]).encode()).hexdigest()[
        :16
    ]


def modify(group_id: str, changes: Mapping[str, Any], seen: str | None = None) -> Group:
    """The group with ``changes`` made: ``SETTINGS``, and "agent_ids", "manager_id", "shared_block_ids".

    Raises as ``create``; and ``ChangedSince`` when the group is no longer what it was when ``stamp`` gave ``seen``. A turn that has
    begun goes on as the group was; those that wait begin with what it is now.
    """
    with transaction.atomic():
        named = [*changes.get("agent_ids", ()), *([changes["manager_id"]] if changes.get("manager_id") else [])]
        group, everybody = _hold(group_id, named)
        if seen is not None and seen != stamp(group):
            raise ChangedSince("The group was changed since it was read: read it again, and then change it.")
        led_by, agent_ids = group.manager_id, list(changes.get("agent_ids", member_ids(group_id)))
        _set(group, changes)
        _check(group, agent_ids)
        group.save()
        if "agent_ids" in changes:
            _set_members(group, agent_ids)
        _share(group, changes.get("shared_block_ids", group.shared_block_ids))
        if group.manager_type not in SLEEPTIME_GROUPS:
            _equip(group)
        elif led_by != group.manager_id:
            _leave_untended(led_by)
            _equip(group)
        _tell(everybody, GroupChanged(group.id, "edited"))
    return group


def _set(group: Group, changes: Mapping[str, Any]) -> None:
    was_tending = group.manager_type in SLEEPTIME_GROUPS
    for name in (*SETTINGS, "manager_id"):
        if name in changes:
            setattr(group, name, changes[name])
    if was_tending != (group.manager_type in SLEEPTIME_GROUPS):
        raise Refused("A group that tends memory stays one, and others do not become one: make a new group.")


_ALONE = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


def _hold(group_id: str, named: Sequence[str] = ()) -> tuple[Group, list[str]]:
    """The group, and the agents in it with those ``named``: nobody else changes them until the transaction ends. Raises ``NotFound``.

    Changes of one group wait for each other before they hold an agent, so that none comes in whom this one would have to hold after others:
    two that hold agents in different orders could wait for each other for ever.
    """
    run_sync([Statement(_ALONE, (group_id,))])
    held = _lock(everybody_in(group_id), named)
    return get(group_id), held


def delete(group_id: str) -> None:
    """Deletes the group; its agents stay, and an agent whose memory it tended tends it itself again. Raises ``NotFound``."""
    with transaction.atomic():
        group, everybody = _hold(group_id)
        if group.manager_type in SLEEPTIME_GROUPS:
            _leave_untended(group.manager_id)
        group.delete()
        _tell(everybody, GroupChanged(group_id, "deleted"))


def member_ids(group_id: str) -> list[str]:
    """The ids of the members in the order of speaking."""
    return list(GroupAgent.objects.filter(group=group_id).order_by("id").values_list("agent_id", flat=True))


def everybody_in(group_id: str) -> list[str]:
    """The ids of the members and of the manager."""
    manager = Group.objects.filter(pk=group_id, manager__isnull=False).values_list("manager_id", flat=True)
    return [*member_ids(group_id), *(each for each in manager if each)]


def attach_block(group_id: str, block_id: str) -> None:
    """Shares the block with all in the group. Raises ``NotFound``, ``Conflict`` when one of them has another block of that label."""
    with transaction.atomic():
        group, _ = _hold(group_id)
        modify(group_id, {"shared_block_ids": [*dict.fromkeys([*group.shared_block_ids, block_id])]})


def detach_block(group_id: str, block_id: str) -> None:
    """Takes the block from all in the group that hold it. Raises ``NotFound``."""
    with transaction.atomic():
        group, everybody = _hold(group_id)
        if block_id not in group.shared_block_ids:
            raise NotFound(f"The group shares no block {block_id}.")
        for agent_id in everybody:
            if agent_id in blocks.holders(block_id):
                blocks.detach(agent_id, block_id)
        group.shared_block_ids = [each for each in group.shared_block_ids if each != block_id]
        group.save(update_fields=["shared_block_ids"])


def reset(group_id: str) -> None:
    """Takes all but the system messages out of the contexts of the group's agents. Raises ``NotFound``."""
    get(group_id)
    for agent_id in everybody_in(group_id):
        reset_messages(agent_id)


def _check(group: Group, agent_ids: Sequence[str]) -> None:
    if not agent_ids:
        raise Refused("A group needs at least one agent.")
    if len(set(agent_ids)) < len(agent_ids):
        raise Refused("An agent can be in a group only once.")
    if group.manager_type not in GroupKind.values:
        raise InvalidInput(f"There is no group of type {group.manager_type!r}. Known: {', '.join(GroupKind.values)}.")
    if group.manager_type == GroupKind.ROUND_ROBIN:
        group.manager = None
    elif group.manager_id is None:
        raise Refused(f"A group of type {group.manager_type} needs a manager: give manager_agent_id.")
    if group.manager_id in agent_ids:
        raise Refused("The manager leads the group and is no member of it: leave it out of agent_ids.")
    if group.manager_type in SLEEPTIME_GROUPS:
        others = Group.objects.filter(manager=group.manager_id, manager_type__in=SLEEPTIME_GROUPS).exclude(pk=group.pk)
        if others.exists():
            raise Conflict("The memory of this agent is tended by another group: delete that one first.")


def _set_members(group: Group, agent_ids: Sequence[str]) -> None:
    GroupAgent.objects.filter(group=group).delete()
    GroupAgent.objects.bulk_create([GroupAgent(group=group, agent_id=agent_id) for agent_id in agent_ids])


def _share(group: Group, block_ids: Sequence[str]) -> None:
    for block_id in block_ids:
        for agent_id in sorted(everybody_in(group.id)):
            blocks.attach(agent_id, block_id)
    if list(block_ids) != group.shared_block_ids:
        group.shared_block_ids = list(block_ids)
        group.save(update_fields=["shared_block_ids"])


def _equip(group: Group) -> None:
    """Gives the manager what its kind of group needs."""
    if group.manager_type == GroupKind.SUPERVISOR and group.manager_id:
        tool = Tool.objects.get(name=_ASKING)
        _, made = AgentTool.objects.get_or_create(agent_id=group.manager_id, tool=tool)
        if made:
            publish(group.manager_id, AgentChanged(["tools"]))
    if group.manager_type in SLEEPTIME_GROUPS and group.manager_id:
        switched = Agent.objects.filter(pk=group.manager_id, enable_sleeptime=False).update(enable_sleeptime=True)
        if switched:
            publish(group.manager_id, AgentChanged(["enable_sleeptime"]))


def _leave_untended(agent_id: str | None) -> None:
    """Lets the agent, whose memory the group has tended so far, tend it itself."""
    if agent_id and Agent.objects.filter(pk=agent_id, enable_sleeptime=True).update(enable_sleeptime=False):
        publish(agent_id, AgentChanged(["enable_sleeptime"]))


def _lock(members: Iterable[str], named: Sequence[str] = ()) -> list[str]:
    """The ids of the agents, sorted, which are held to the end of the transaction; of ``members`` those that are still there.

    Raises ``NotFound`` for one of ``named`` that is not.
    """
    rows = run_sync([lock_agents(sorted({*members, *named}))])[0]
    in_order(Agent, named, "agent")
    return [agent_id for (agent_id,) in rows]


def _tell(agent_ids: Sequence[str], event: AnyEvent) -> None:
    for agent_id in agent_ids:
        publish(agent_id, event)


# --- turns -------------------------------------------------------------------------------------------------------------


def send(group_id: str, inputs: Sequence[Input], options: RunOptions | None = None) -> GroupTurn:
    """Queues a turn of the group that answers ``inputs``, after its earlier ones.

    Raises ``NotFound``, ``InvalidInput`` without messages.
    """
    if not inputs:
        raise InvalidInput("Send at least one message.")
    asked = {name: value for name, value in asdict(options or RunOptions()).items() if value}
    with transaction.atomic():
        group, everybody = get(group_id), _lock(everybody_in(group_id))
        turn = GroupTurn.objects.create(
            group=group, request={"messages": [asdict(message) for message in inputs], "options": asked}
        )
        run_sync([defer_group_turn(group_id, turn.id)])
        _tell(everybody, GroupTurnChanged(group_id, turn.id, "created"))
    return turn


def cancel(turn_id: str) -> GroupTurn:
    """Asks a turn to stop, and the run it waits for. Raises ``NotFound``, ``TurnNotActive``."""
    with transaction.atomic():
        turn = GroupTurn.objects.select_for_update().filter(pk=turn_id).first()
        if turn is None:
            raise NotFound(f"There is no group turn {turn_id}.")
        if turn.status not in ACTIVE:
            raise TurnNotActive(f"The turn is {turn.status} already.")
        turn.cancel_requested = True
        turn.save(update_fields=["cancel_requested"])
        run_sync([ring(turn_id)])
    for run in Run.objects.filter(id__in=turn.run_ids, status__in=ACTIVE):
        with suppress(runs.NothingToCancel):
            runs.cancel(run.agent_id, [run.id])
    return turn
