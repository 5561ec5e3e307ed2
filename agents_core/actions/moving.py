"""Puts an agent into another state of its own: the writing half of rewind, come back and adopt. The caller holds the agent locked."""

from collections.abc import Mapping, Sequence
from typing import Any

from agents_core.actions import sleeptime
from agents_core.actions.prompt import recompile
from agents_core.errors import Refused
from agents_core.events.publish import publish
from agents_core.events.types import AgentChanged, BlockChanged
from agents_core.memory import blocks as memory_blocks
from agents_core.memory.archival import revisions
from agents_core.models import (
    Agent,
    AgentArchive,
    AgentBlock,
    AgentTool,
    Archive,
    Author,
    Block,
    BlockVersion,
    Branch,
    Message,
    Role,
    Tool,
)
from agents_core.models.pipeline import Statement, run_sync
from agents_core.record.kept import kept_blocks
from agents_core.record.lines import Line
from agents_core.record.states import AgentState, places


def move(agent: Agent, state: AgentState, line: Line, branch: Branch, author: Author, *, shared: bool) -> None:
    """Makes the agent what ``state`` says, with the messages of ``line`` as its history; tells its stream of all that changed.

    Args:
        branch: the one that it leaves, as the cause of what is written.
        shared: also what other agents hold goes back; otherwise that stays as it is, attached as it was.
    """
    kept = kept_blocks(state)
    wanted = {version.block_id: {name: getattr(version, name) for name in memory_blocks.VERSIONED} for version in kept}
    restored = {version.block_id: version.version for version in kept}
    put_blocks(agent, wanted, branch, author, shared=shared, restored=restored)
    changed = put_settings(agent, state.world.settings)
    changed += put_tools(agent, [tool_id for tool_id, _ in state.world.tools])
    revised = dict(state.world.archives)
    changed += put_archives(agent, list(revised))
    for archive_id in alone(agent, AgentArchive, "archive", list(revised), shared=shared):
        revisions.restore(archive_id, revised[archive_id])
    put_messages(agent, state, line)
    publish(agent.id, AgentChanged([*changed, "messages"]))


def alone(agent: Agent, links: type[Any], noun: str, ids: Sequence[str], *, shared: bool) -> list[str]:
    """Those of ``ids`` that the agent, and those that tend its memory, have for themselves; with ``shared`` all of them."""
    own = [agent.id, *sleeptime.companions(agent.id)]
    others = links.objects.filter(**{f"{noun}__in": ids}).exclude(agent__in=own)
    held = set() if shared else set(others.values_list(noun, flat=True))
    return [each for each in ids if each not in held]


# --- blocks -------------------------------------------------------------------------------------------------------


def put_blocks(
    agent: Agent,
    wanted: Mapping[str, Mapping[str, Any]],
    branch: Branch,
    author: Author,
    *,
    shared: bool,
    restored: Mapping[str, int] | None = None,
) -> None:
    """Gives the agent these blocks, in this order, with these fields; ``restored``: the versions that these are of, whose authors the
    texts have again. Raises ``Refused`` when two would have one label."""
    before = {block.pk: block for block in Block.objects.filter(agent_links__agent=agent)}
    AgentBlock.objects.filter(agent=agent).delete()
    versions = dict(Block.objects.filter(pk__in=wanted).values_list("id", "version"))
    for block_id in alone(agent, AgentBlock, "block", list(wanted), shared=shared):
        own = (restored or {}).get(block_id)
        written = memory_blocks.write(block_id, wanted[block_id], author, None, restored=own)
        BlockVersion.objects.filter(block=block_id, version=written.version, version__gt=versions[block_id]).update(
            branch=branch
        )
    after = Block.objects.in_bulk(list(wanted))
    held = [after[block_id] for block_id in wanted]
    _link(agent, held)
    _tell_holders([block for block in held if block.version != versions[block.pk]], author)
    gone = [block for block_id, block in before.items() if block_id not in after]
    told = [BlockChanged(b.id, b.label, b.version, author, "detached") for b in gone]
    told += [BlockChanged(b.id, b.label, b.version, author, "attached") for b in held if b.pk not in before]
    if told:
        publish(agent.id, *told)


def _link(agent: Agent, blocks: Sequence[Block]) -> None:
    labels = [block.label for block in blocks]
    if twice := {label for label in labels if labels.count(label) > 1}:
        raise Refused(
            f"Two blocks would be labelled {', '.join(sorted(twice))}: a block that others hold too was renamed since. "
            "Rename it, or take shared memory back too."
        )
    AgentBlock.objects.bulk_create([AgentBlock(agent=agent, block=block, label=block.label) for block in blocks])


def _tell_holders(blocks: Sequence[Block], author: Author) -> None:
    for block in blocks:
        for agent_id in AgentBlock.objects.filter(block=block).order_by("agent_id").values_list("agent_id", flat=True):
            publish(agent_id, BlockChanged(block.id, block.label, block.version, author))


# --- settings, tools, archives ------------------------------------------------------------------------------------


def put_settings(agent: Agent, settings: Mapping[str, Any]) -> list[str]:
    """Gives the names of those that changed."""
    changed = [name for name, value in settings.items() if getattr(agent, name) != value]
    for name in changed:
        setattr(agent, name, settings[name])
    if changed:
        agent.save(update_fields=changed)
    return changed


def put_tools(agent: Agent, tool_ids: Sequence[str]) -> list[str]:
    links = AgentTool.objects.filter(agent=agent)
    there = Tool.objects.in_bulk(list(tool_ids))
    wanted = [tool_id for tool_id in tool_ids if tool_id in there]
    if list(links.values_list("tool", flat=True)) == wanted:
        return []
    links.delete()
    AgentTool.objects.bulk_create([AgentTool(agent=agent, tool_id=tool_id) for tool_id in wanted])
    return ["tools"]


def put_archives(agent: Agent, archive_ids: Sequence[str]) -> list[str]:
    there = Archive.objects.in_bulk(list(archive_ids))
    wanted = [archive_id for archive_id in archive_ids if archive_id in there]
    AgentArchive.objects.filter(agent=agent).delete()
    AgentArchive.objects.bulk_create([AgentArchive(agent=agent, archive_id=each) for each in wanted])
    return ["archives"]


# --- messages -----------------------------------------------------------------------------------------------------

_OF_THREAD = """
agent_id = %(agent)s AND conversation_id IS NOT DISTINCT FROM %(thread)s AND NOT (role = 'system' AND message.content -> 0 ? 'kind')
"""
_EMPTY = f"UPDATE message SET context_position = NULL WHERE {_OF_THREAD} AND context_position IS NOT NULL"
_FILL = """
UPDATE message SET context_position = placed.position
FROM unnest(%(ids)s::text[], %(positions)s::bigint[]) AS placed (id, position) WHERE placed.id = message.id
"""
_REMEMBER = f"""
UPDATE message SET abandoned = NOT remembered
FROM (
    SELECT id, id = ANY (%(ids)s) OR EXISTS (
        SELECT FROM unnest(%(firsts)s::bigint[], %(lasts)s::bigint[]) AS part (first, last) WHERE seq BETWEEN first AND last
    ) AS remembered FROM message WHERE {_OF_THREAD}
) AS told WHERE told.id = message.id AND abandoned = remembered
"""
# What was said when the state was kept; a trigger keeps what is written over.
_REWRITE = f"""
UPDATE message SET content = before.content, tool_calls = before.tool_calls, tool_returns = before.tool_returns, indexed = false
FROM (
    SELECT DISTINCT ON (message_id) message_version.* FROM message_version JOIN message ON message.id = message_id
    WHERE {_OF_THREAD} AND NOT abandoned AND until > %(seq)s ORDER BY message_id, until
) AS before WHERE before.message_id = message.id
AND (message.content, message.tool_calls, message.tool_returns) IS DISTINCT FROM (before.content, before.tool_calls, before.tool_returns)
RETURNING message.id
"""
_UNINDEX = (
    "DELETE FROM message_vector WHERE message_id = ANY (%s)",
    "DELETE FROM message_term WHERE message_id = ANY (%s)",
)


def put_messages(agent: Agent, state: AgentState, line: Line) -> None:
    """Fills the thread's context as it was, remembers what is on the line, and abandons the rest."""
    placed = places(state.messages)
    base = agent.event_seq - (placed[-1][1] if placed else 0)
    about = {
        "agent": agent.id,
        "thread": state.conversation_id,
        "seq": state.seq,
        "ids": [message_id for message_id, _ in placed],
        "positions": [base + place for _, place in placed],
        "firsts": [first for first, _ in line],
        "lasts": [last for _, last in line],
    }
    *_, rewritten = run_sync(Statement(sql, about) for sql in (_EMPTY, _FILL, _REMEMBER, _REWRITE))
    run_sync(Statement(sql, ([message_id for (message_id,) in rewritten],)) for sql in _UNINDEX)
    _put_prompt(agent, state, base)


def _put_prompt(agent: Agent, state: AgentState, position: int) -> None:
    thread = Message.objects.filter(agent=agent, conversation=state.conversation_id, role=Role.SYSTEM)
    prompt = thread.filter(content__0__has_key="kind").order_by("seq").first()
    if prompt is not None:
        prompt.context_position = position
        prompt.content = list(state.system) or prompt.content
        prompt.save(update_fields=["context_position", "content"])
    if not state.system:
        recompile(agent, state.conversation_id)
