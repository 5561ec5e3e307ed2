"""Deleting histories: raw statements in the order of their references, because the ORM would first read every row of a long one."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q

from agents_core.actions import blocks, conversations, runs, sleeptime
from agents_core.actions.agents import locked
from agents_core.actions.groups import everybody_in
from agents_core.errors import Conflict
from agents_core.events.publish import lock_agents, publish
from agents_core.events.types import AgentChanged, GroupChanged
from agents_core.models import ACTIVE, SLEEPTIME_GROUPS, Agent, Archive, Author, Block, Fork, Group
from agents_core.models.pipeline import Statement, run_sync

_LET_GO_OF_STEPS = (
    "DELETE FROM intervention WHERE step_id IN (SELECT id FROM step WHERE {owner} = %s)",
    "DELETE FROM pause WHERE step_id IN (SELECT id FROM step WHERE {owner} = %s)",
    "UPDATE block_version SET step_id = NULL WHERE step_id IN (SELECT id FROM step WHERE {owner} = %s)",
    "UPDATE passage SET step_id = NULL WHERE step_id IN (SELECT id FROM step WHERE {owner} = %s)",
    "UPDATE block_proposal SET step_id = NULL WHERE step_id IN (SELECT id FROM step WHERE {owner} = %s)",
    "DELETE FROM memory_search WHERE step_id IN (SELECT id FROM step WHERE {owner} = %s)",
    "DELETE FROM experiment WHERE step_id IN (SELECT id FROM step WHERE {owner} = %s)",
)
_WAITS = (
    "DELETE FROM run_wait WHERE run_id IN (SELECT id FROM run WHERE {owner} = %s)",
    "DELETE FROM run_wait WHERE awaited_id IN (SELECT id FROM run WHERE {owner} = %s)",
)
_STEPS = (
    "DELETE FROM intervention WHERE step_id IN (SELECT id FROM step WHERE {owner} = %s)",
    "DELETE FROM pause WHERE step_id IN (SELECT id FROM step WHERE {owner} = %s)",
    "DELETE FROM tool_call WHERE step_id IN (SELECT id FROM step WHERE {owner} = %s)",
    "DELETE FROM step WHERE {owner} = %s",
)

_OF_AGENT = (
    "UPDATE block_version SET agent_id = NULL WHERE agent_id = %s",
    "UPDATE block_proposal SET agent_id = NULL WHERE agent_id = %s",
    "UPDATE fork SET parent_id = NULL WHERE parent_id = %s",
    "DELETE FROM fork WHERE agent_id = %s",
    "UPDATE block_version SET branch_id = NULL WHERE branch_id IN (SELECT id FROM branch WHERE agent_id = %s)",
    "DELETE FROM branch WHERE agent_id = %s",
    "DELETE FROM message_version WHERE message_id IN (SELECT id FROM message WHERE agent_id = %s)",
    "DELETE FROM group_agent WHERE agent_id = %s",
    "UPDATE comparison_variant SET fork_id = NULL WHERE fork_id = %s",
    "DELETE FROM comparison_variant WHERE comparison_id IN (SELECT id FROM comparison WHERE agent_id = %s)",
    "DELETE FROM comparison WHERE agent_id = %s",
    *(
        f"DELETE FROM {table} WHERE agent_id = %s"
        for table in ("eviction", "memory_search", "message_term", "message_vector", "message")
    ),
    *_STEPS,
    *_WAITS,
    *(
        f"DELETE FROM {table} WHERE agent_id = %s"
        for table in (
            "segment",
            "breakpoint",
            "watch",
            "run",
            "conversation",
            "event",
            "agent_block",
            "agent_tool",
            "agent_archive",
            "agent_file",
            "agent_folder",
            "agent_variable",
            "schedule",
        )
    ),
    "DELETE FROM agent WHERE id = %s",
)
_OF_CONVERSATION = (
    "UPDATE block_version SET branch_id = NULL WHERE branch_id IN (SELECT id FROM branch WHERE conversation_id = %s)",
    "UPDATE branch SET target_id = NULL WHERE target_id IN (SELECT id FROM branch WHERE conversation_id = %s)",
    "DELETE FROM branch WHERE conversation_id = %s",
    "DELETE FROM message_version WHERE message_id IN (SELECT id FROM message WHERE conversation_id = %s)",
    "DELETE FROM eviction WHERE conversation_id = %s",
    "DELETE FROM message_term WHERE message_id IN (SELECT id FROM message WHERE conversation_id = %s)",
    "DELETE FROM message_vector WHERE message_id IN (SELECT id FROM message WHERE conversation_id = %s)",
    "DELETE FROM message WHERE conversation_id = %s",
    *_STEPS,
    *_WAITS,
    "DELETE FROM run WHERE conversation_id = %s",
    "DELETE FROM conversation WHERE id = %s",
)
_OF_RUN = (
    "UPDATE eviction SET run_id = NULL, step_id = NULL WHERE run_id = %s",
    "UPDATE message SET run_id = NULL, step_id = NULL WHERE run_id = %s",
    *_STEPS,
    "DELETE FROM run_wait WHERE run_id = %s",
    "DELETE FROM run_wait WHERE awaited_id = %s",
    "DELETE FROM run WHERE id = %s",
)


def delete_agent(agent_id: str) -> None:
    """Deletes the agent with its history and record, the agents that tend its memory, the forks that were only to be compared with it,
    and the groups that it leads. Its blocks, archives and tools stay. An agent whose memory it tended tends it itself again. Raises
    ``NotFound``."""
    with transaction.atomic():
        doomed, tended = [agent_id, *sleeptime.companions(agent_id)], sleeptime.tended_by(agent_id)
        for fork_id in _forks(agent_id):
            delete_fork(fork_id)
        held = {each: list(Block.objects.filter(agent_links__agent=each)) for each in doomed}
        shared = {block.id for found in held.values() for block in found}
        left_in_groups = _left_in_groups(doomed, tended)
        others = (other for other, _ in left_in_groups)
        parents = list(Fork.objects.filter(agent=agent_id, parent__isnull=False).values_list("parent_id", flat=True))
        there = run_sync([lock_agents({*doomed, *tended, *others, *parents, *blocks.sharers(shared, agent_id)})])[0]
        locked(agent_id)
        Group.objects.filter(manager__in=[*doomed, *tended], manager_type__in=SLEEPTIME_GROUPS).delete()
        Group.objects.filter(manager__in=doomed).delete()
        for left in tended:
            Agent.objects.filter(id=left).update(enable_sleeptime=False)
            publish(left, AgentChanged(["enable_sleeptime", "managed_group"]))
        for other, change in left_in_groups:
            if (other,) in there:
                publish(other, change)
        for each in doomed:
            blocks.tell_sharers(held[each], each, Author.API, "unshared")
            _execute((*_LET_GO_OF_STEPS, *_OF_AGENT), "agent_id", each)
        for parent in parents:
            if (parent,) in there:
                publish(parent, AgentChanged(["forks"]))


def _left_in_groups(doomed: Sequence[str], tended: Sequence[str]) -> list[tuple[str, GroupChanged]]:
    """Whom to tell of the groups that lose one of ``doomed``, and what: those that it leads, or in which it tends memory, go too."""
    told = []
    for group in Group.objects.filter(Q(manager__in=doomed) | Q(members__agent__in=doomed)).distinct():
        is_tending = group.manager_id in tended and group.manager_type in SLEEPTIME_GROUPS
        change = GroupChanged(group.id, "deleted" if group.manager_id in doomed or is_tending else "edited")
        told += [(other, change) for other in everybody_in(group.id) if other not in doomed]
    return told


def delete_fork(agent_id: str) -> None:
    """Deletes an agent that was made to be tried, with the blocks and archives that nobody else holds. Raises ``NotFound``."""
    with transaction.atomic():
        blocks = list(Block.objects.filter(agent_links__agent=agent_id).values_list("id", flat=True))
        archives = list(Archive.objects.filter(agent_links__agent=agent_id).values_list("id", flat=True))
        delete_agent(agent_id)
        Block.objects.filter(id__in=blocks, agent_links=None).delete()
        Archive.objects.filter(id__in=archives, agent_links=None).delete()


def _forks(agent_id: str) -> list[str]:
    """The forks that live in its comparisons."""
    return list(Agent.objects.filter(variant_of__comparison__agent=agent_id, hidden=True).values_list("id", flat=True))


def delete_conversation(conversation_id: str) -> None:
    """Deletes the conversation with its messages and its record. Raises ``NotFound``."""
    with transaction.atomic():
        agent_id = conversations.get(conversation_id).agent_id
        locked(agent_id)
        _execute((*_LET_GO_OF_STEPS, *_OF_CONVERSATION), "conversation_id", conversation_id)
        publish(agent_id, AgentChanged(["conversations"]))


def delete_run(run_id: str) -> None:
    """Deletes the run with its steps; its messages stay. Raises ``NotFound``, ``Conflict`` while it is going on."""
    with transaction.atomic():
        agent_id = runs.get(run_id).agent_id
        locked(agent_id)
        if runs.get(run_id).status in ACTIVE:
            raise Conflict("The run is still going on: cancel it first.", run_id=run_id)
        _execute((*_LET_GO_OF_STEPS, *_OF_RUN), "run_id", run_id)
        publish(agent_id, AgentChanged(["runs"]))


def _execute(statements: Sequence[str], owner: str, owner_id: str) -> None:
    run_sync(Statement(sql.format(owner=owner), (owner_id,)) for sql in statements)
