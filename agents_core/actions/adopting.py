"""Adopting a fork: the agent takes over what its fork has become. Its own present is kept as a branch first."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.db import transaction

from agents_core.actions.agents import locked
from agents_core.actions.fork_histories import said_of
from agents_core.actions.moving import alone, put_archives, put_blocks, put_messages, put_settings, put_tools
from agents_core.actions.rewind import keep_present, other_holders, refuse_at_work
from agents_core.errors import NotFound
from agents_core.events.publish import lock_agents, publish
from agents_core.events.types import AgentAdopted, AgentChanged, MessageCreated
from agents_core.memory import blocks as memory_blocks
from agents_core.memory.archival import revisions
from agents_core.models import (
    WAITING,
    Agent,
    AgentArchive,
    Author,
    Block,
    Branch,
    Cause,
    Conversation,
    Fork,
    Message,
    Role,
)
from agents_core.models.pipeline import Statement, run_sync
from agents_core.record.lines import OPEN, line_to
from agents_core.record.states import AgentState, state_at, state_now


def adopt(
    agent_id: str, fork_id: str, *, name: str | None = None, shared: bool = False, author: Author = Author.API
) -> Branch:
    """Makes the agent what its fork is now; gives the branch that its own present is kept as. The fork stays as it is.

    Blocks are matched by their labels, and get new versions; messages and passages that the fork has added are copied.

    Args:
        name: of the branch.
        shared: also blocks and archives that other agents hold are written.

    Raises ``NotFound`` when that is no fork of the agent, or its conversation was deleted; ``Conflict`` while one of both is at work or
    waits for somebody; ``InvalidInput`` for a name that is too long.
    """
    with transaction.atomic():
        origin = Fork.objects.filter(agent=fork_id, parent=agent_id).first()
        if origin is None:
            raise NotFound(f"{fork_id} is no fork of this agent.")
        agent, state = _lock(agent_id, origin, shared=shared)
        line = line_to(agent_id, origin.conversation_id, origin.seq)
        branch = keep_present(agent, origin.conversation_id, Cause.ADOPT, line, author, name, fork_id=fork_id)
        blocks = _put_blocks(agent, origin, state, branch, author, shared=shared)
        changed = put_settings(agent, state.world.settings)
        changed += put_tools(agent, [tool_id for tool_id, _ in state.world.tools])
        changed += _put_archives(agent, origin, state, shared=shared)
        agent.event_seq, copied = _copy_messages(agent, origin, branch)
        mapped = replace(
            state,
            agent_id=agent_id,
            conversation_id=origin.conversation_id,
            seq=OPEN,
            messages=_own_messages(agent, origin, state.messages, copied),
            system=[said_of(part, _renamed(agent, origin), blocks) for part in state.system],
        )
        put_messages(agent, mapped, [*line, (branch.seq + 1, OPEN)])
        publish(agent_id, AgentChanged([*changed, "messages"]), AgentAdopted(branch.id, fork_id))
    return branch


def _lock(agent_id: str, origin: Fork, *, shared: bool) -> tuple[Agent, AgentState]:
    """The agent, and the state of its fork, neither of which can change from here on."""
    others = other_holders(state_now(agent_id)) if shared else []
    run_sync([lock_agents([agent_id, origin.agent_id, *others])])
    agent = locked(agent_id)
    for each in (agent_id, origin.agent_id):
        refuse_at_work(each)
    thread = origin.conversation_id
    if thread and not Conversation.objects.filter(pk=thread, agent=agent).exists():
        raise NotFound("The conversation that the fork was made from was deleted.")
    return agent, state_now(origin.agent_id)


def _renamed(agent: Agent, origin: Fork) -> dict[str, str]:
    thread = origin.conversation_id
    named = {"CONVERSATION_ID: default": f"CONVERSATION_ID: {thread}"} if thread else {}
    return {origin.agent_id: agent.id, **named}


def _put_blocks(
    agent: Agent, origin: Fork, state: AgentState, branch: Branch, author: Author, *, shared: bool
) -> dict[str, str]:
    """Gives the agent's own blocks the texts of those of the same label; gives their ids by the fork's."""
    own = _held(agent, origin, "blocks")
    held = list(Block.objects.filter(agent_links__agent=origin.agent_id).order_by("agent_links__id"))
    fields = [{name: getattr(block, name) for name in memory_blocks.VERSIONED} for block in held]
    new = iter(memory_blocks.create_many(author, [each for each in fields if each["label"] not in own]))
    ids = [own[each["label"]] if each["label"] in own else next(new).id for each in fields]
    put_blocks(agent, dict(zip(ids, fields, strict=True)), branch, author, shared=shared)
    return {block.id: block_id for block, block_id in zip(held, ids, strict=True)}


def _held(agent: Agent, origin: Fork, noun: str) -> dict[str, str]:
    """The blocks by label, or the archives by id, that the agent has, or had where the fork was made and nobody deleted since."""
    worlds = [state_now(agent.id).world]
    if origin.step_number is not None:
        worlds.append(state_at(agent.id, origin.step_number).world)
    if noun == "archives":
        return {archive_id: archive_id for world in worlds for archive_id, _ in world.archives}
    labelled = {label: block_id for world in worlds for block_id, label, _ in world.blocks}
    there = Block.objects.in_bulk(list(labelled.values()))
    return {label: block_id for label, block_id in labelled.items() if block_id in there}


def _put_archives(agent: Agent, origin: Fork, state: AgentState, *, shared: bool) -> list[str]:
    known = list(_held(agent, origin, "archives"))
    [rows] = run_sync(
        [Statement("SELECT copy_id(%s, id), id FROM archive WHERE id = ANY (%s)", (origin.agent_id, known))]
    )
    originals: dict[str, str] = dict(rows)
    held = []
    for copied, revision in state.world.archives:
        held.append(originals.get(copied) or revisions.copy(copied, revision, agent.id))
        if copied in originals and alone(agent, AgentArchive, "archive", [originals[copied]], shared=shared):
            revisions.take_over(originals[copied], copied, origin.agent_id)
    return put_archives(agent, held)


_COPY = """
INSERT INTO message (id, agent_id, conversation_id, seq, role, content, tool_calls, tool_returns, name, otid, sender_id, indexed,
                     created_at)
SELECT given.id, %s, %s, given.seq, role, content, tool_calls, tool_returns, name, otid, sender_id, false, created_at
FROM message JOIN unnest(%s::text[], %s::text[], %s::bigint[]) AS given (original, id, seq) ON given.original = message.id
"""
# What was rewritten in the fork; the numbers of both are the same up to where it was made.
_REWRITE = """
UPDATE message SET content = own.content, tool_calls = own.tool_calls, tool_returns = own.tool_returns, indexed = false
FROM message AS own
WHERE own.agent_id = %s AND own.conversation_id IS NULL AND own.seq = message.seq AND own.seq <= %s AND own.role <> 'system'
    AND message.agent_id = %s AND message.conversation_id IS NOT DISTINCT FROM %s
    AND (message.content, message.tool_calls, message.tool_returns) IS DISTINCT FROM (own.content, own.tool_calls, own.tool_returns)
"""
_COPY_ID = "SELECT id, copy_id(%s, id), role FROM message WHERE id = ANY (%s) ORDER BY seq"


def _copy_messages(agent: Agent, origin: Fork, branch: Branch) -> tuple[int, dict[str, str]]:
    """Copies what was said in the fork to the end of the thread; gives the last number and the ids of the copies by the originals'."""
    said = Message.objects.filter(agent=origin.agent_id, conversation=None, seq__gt=origin.seq, abandoned=False)
    said = said.exclude(context_position=WAITING).exclude(role=Role.SYSTEM, content__0__has_key="kind")
    originals = list(said.values_list("id", flat=True))
    [rows] = run_sync([Statement(_COPY_ID, (branch.id, originals))])
    last = agent.event_seq
    if rows:
        last = publish(agent.id, *(MessageCreated(message_id, role) for _, message_id, role in rows))
    ids = {original: message_id for original, message_id, _ in rows}
    seqs = list(range(last - len(rows) + 1, last + 1))
    thread = origin.conversation_id
    run_sync(
        [
            Statement(_COPY, (agent.id, thread, list(ids), list(ids.values()), seqs)),
            Statement(_REWRITE, (origin.agent_id, origin.seq, agent.id, thread)),
        ]
    )
    return last, ids


def _own_messages(agent: Agent, origin: Fork, ids: Sequence[str], copied: dict[str, str]) -> list[str]:
    """The agent's messages that say what these of its fork say."""
    seqs = dict(Message.objects.filter(id__in=ids).values_list("id", "seq"))
    rows: Any = Message.objects.filter(agent=agent, seq__in=seqs.values()).values_list("seq", "id")
    own = dict(rows)
    return [copied.get(each) or own[seqs[each]] for each in ids if each in copied or seqs[each] in own]
