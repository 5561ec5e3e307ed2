"""Forks: a new agent that is what another one was just before a step, with copies of its own of all it can change."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from agents_core.actions.agents import checked_name, get, locked
from agents_core.actions.fork_histories import copy_history, give_prompt
from agents_core.actions.model_choice import check_handle
from agents_core.errors import InvalidInput
from agents_core.events.publish import publish
from agents_core.events.types import AgentCreated, AgentForked, BlockChanged
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
    Conversation,
    Fork,
    Tool,
)
from agents_core.models.pipeline import Statement, run_sync
from agents_core.record.kept import kept_blocks
from agents_core.record.states import AgentState, state_at, state_now

_COPIED = ("description", "agent_type", "max_files_open", "per_file_view_window_char_limit", "metadata")
"""What a fork has from its parent beside the settings. Tags are addresses: who writes to all agents of a tag does not mean its copies."""


def fork(
    agent_id: str,
    step_number: int | None = None,
    *,
    conversation_id: str | None = None,
    name: str | None = None,
    model: str | None = None,
    system: str | None = None,
    blocks: Mapping[str, str] | None = None,
    hidden: bool = False,
    author: Author = Author.API,
) -> Agent:
    """A new agent that is what this one was just before the model call of its step, or is now without a step.

    It has copies of the blocks, archives and messages up to there; the thread of the step is its default one. Its next step has the
    number ``step_number``, and its history up to there the numbers of its parent's. The parent stays as it is.

    Args:
        conversation_id: the thread, when there is no step to name it.
        name: of the new agent; its parent's with the step, unless given.
        model, system, blocks: what is to be different; ``blocks`` holds values by label.
        hidden: whether it is left out of lists of agents.

    Raises ``NotFound`` for agent, step or model; ``Refused`` for a step that has no request of the agent's own or a malformed model handle;
    ``InvalidInput`` for a malformed name or the label of a block that it had not; ``BlockLimitError``.
    """
    with transaction.atomic():
        parent = get(agent_id) if step_number is not None else locked(agent_id)
        state = state_at(agent_id, step_number) if step_number is not None else state_now(agent_id, conversation_id)
        given = {"model": check_handle(model) if model else _model_of(state), "system": system}
        made = _agent(parent, state, checked_name(name or _name(parent, step_number)), hidden, given)
        values = blocks or {}
        copied = _give_blocks(made, state, values, author)
        _give_held(made, state)
        copy_history(made, state)
        compile_anew = bool(values) or system is not None or not state.system
        give_prompt(made, state, {old: block.id for old, block in copied.items()}, compile_anew=compile_anew)
        Fork.objects.create(
            agent=made,
            parent=parent,
            conversation_id=state.conversation_id,
            step_number=step_number,
            seq=made.event_seq,
            author=author,
        )
        told = [BlockChanged(b.id, b.label, b.version, author, "attached") for b in copied.values()]
        made.event_seq = publish(made.id, AgentCreated(), *told)
        publish(parent.id, AgentForked(made.id, step_number))
    return made


def _name(parent: Agent, step_number: int | None) -> str:
    return f"{parent.name} at step {step_number}" if step_number is not None else f"{parent.name} copy"


def _model_of(state: AgentState) -> str | None:
    """The model of a conversation that has its own."""
    thread = Conversation.objects.filter(pk=state.conversation_id)
    return thread.values_list("model", flat=True).first()


def _agent(parent: Agent, state: AgentState, name: str, hidden: bool, given: Mapping[str, str | None]) -> Agent:
    copied = {name: getattr(parent, name) for name in _COPIED}
    settings = {**state.world.settings, **{name: value for name, value in given.items() if value is not None}}
    steps = parent.step_count if state.step_number is None else state.step_number - 1
    made = Agent(**copied, **settings, name=name, hidden=hidden, event_seq=state.seq, step_count=steps)
    made.save(force_insert=True)
    return made


def _give_blocks(made: Agent, state: AgentState, values: Mapping[str, str], author: Author) -> dict[str, Block]:
    """Copies of the blocks as they were, by the ids of the originals."""
    kept = kept_blocks(state)
    labels = [version.label for version in kept]
    if unknown := values.keys() - set(labels):
        had = ", ".join(labels) or "none"
        raise InvalidInput(f"The agent had no block labelled {', '.join(sorted(unknown))} there; it had {had}.")
    copies = memory_blocks.create_many(author, [_fields(version, values) for version in kept])
    AgentBlock.objects.bulk_create([AgentBlock(agent=made, block=block, label=block.label) for block in copies])
    return {version.block_id: block for version, block in zip(kept, copies, strict=True)}


def _fields(version: Any, values: Mapping[str, str]) -> dict[str, Any]:
    seen = {name: getattr(version, name) for name in memory_blocks.VERSIONED}
    about = {name: getattr(version.block, name) for name in ("metadata", "tags")}
    return {**seen, **about, "value": values.get(version.label, version.value)}


_VARIABLES = """
INSERT INTO agent_variable (id, agent_id, key, sealed, description)
SELECT copy_id(%(fork)s, id), %(fork)s, key, sealed, description FROM agent_variable WHERE agent_id = %(parent)s
"""
_FOLDERS = """
INSERT INTO agent_folder (agent_id, folder_id) SELECT %(fork)s, folder_id FROM agent_folder WHERE agent_id = %(parent)s ORDER BY id
"""
_FILES = """
INSERT INTO agent_file (id, agent_id, file_id, is_open, view, start_line, end_line, last_accessed_at)
SELECT copy_id(%(fork)s, id), %(fork)s, file_id, is_open, view, start_line, end_line, last_accessed_at
FROM agent_file WHERE agent_id = %(parent)s
"""


def _give_held(made: Agent, state: AgentState) -> None:
    """The tools, which are everybody's; archives of its own; variables, sealed as they are; the folders and open files of today."""
    held = [tool_id for tool_id, _ in state.world.tools]
    there = Tool.objects.in_bulk(held)
    AgentTool.objects.bulk_create([AgentTool(agent=made, tool_id=each) for each in held if each in there])
    archives = Archive.objects.in_bulk([archive_id for archive_id, _ in state.world.archives])
    for archive_id, revision in state.world.archives:
        if archive_id in archives:
            copied = revisions.copy(archive_id, revision, made.id)
            AgentArchive.objects.create(agent=made, archive_id=copied)
    both = {"fork": made.id, "parent": state.agent_id}
    run_sync(Statement(sql, both) for sql in (_VARIABLES, _FOLDERS, _FILES))
