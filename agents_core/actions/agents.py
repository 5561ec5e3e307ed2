"""What a person or a client may do with agents. Each is one transaction with its events."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction

from agents_core.actions import blocks as block_actions
from agents_core.actions import providers, sleeptime
from agents_core.actions.answer_settings import checked_format, checked_settings
from agents_core.actions.budgets import checked_budgets
from agents_core.actions.file_views import LIMITS, refit
from agents_core.actions.model_choice import check_handle, default_embedding, default_model
from agents_core.actions.names import fresh_name
from agents_core.actions.new_agent import MadeAgent, NewAgent
from agents_core.actions.openings import Opening, opening_messages
from agents_core.actions.prompt import prompt_parts, recompile
from agents_core.actions.tool_environment import checked_variables
from agents_core.actions.tool_rules import approval_rule, checked_rules, with_base_rules
from agents_core.errors import InvalidInput, NotFound, Refused
from agents_core.events.publish import lock_agents, publish
from agents_core.events.types import AgentChanged, AgentCreated, BlockChanged, MessageCreated
from agents_core.memory import blocks as memory_blocks
from agents_core.memory.render import MetadataFacts, stored_parts
from agents_core.models import (
    WAITING,
    Agent,
    AgentBlock,
    AgentKind,
    AgentTool,
    AgentVariable,
    Author,
    Block,
    Group,
    Message,
    Tool,
    new_id,
)
from agents_core.models.pipeline import Statement, run_sync
from agents_core.models.sealed import seal
from agents_core.runtime.compaction_settings import merged as merged_compaction
from agents_core.runtime.policy import policy_of, wants_base_rules

MULTI_AGENT_TOOLS = (
    "send_message_to_agent_and_wait_for_reply",
    "send_message_to_agents_matching_tags",
    "send_message_to_agent_async",
)

LARGEST_DEFAULT_WINDOW = 128_000
"""Tokens that a new agent's requests may hold at most, unless more is asked for: a model's whole window is slow and costly."""

LONGEST_NAME = 255
_NAME = re.compile(r"[\w '-]+")
_FILES_BY_WINDOW = ((8_000, 3, 5_000), (32_000, 5, 15_000), (128_000, 10, 25_000), (200_000, 10, 40_000))


def create(new: NewAgent, author: Author = Author.API) -> Agent:
    """As ``make``, only the agent itself."""
    return make(new, author).agent


def make(new: NewAgent, author: Author = Author.API) -> MadeAgent:
    """A new agent with its blocks, tools and compiled system message.

    Raises ``InvalidInput`` for a malformed name, time zone or block; ``Refused`` for a malformed model handle or two blocks with one label;
    ``NotFound`` for a model, tool or block that does not exist.
    """
    if new.agent_type == AgentKind.VOICE and not new.enable_sleeptime:
        raise Refused("A voice agent leaves its memory to a sleep-time agent: set enable_sleeptime.")
    model = check_handle(new.model or default_model())
    window = new.context_window or min(providers.context_window(model), LARGEST_DEFAULT_WINDOW)
    new = replace(new, model=model, context_window=window)
    with transaction.atomic():
        made = _make(new, author)
        if new.enable_sleeptime:
            group = _give_companion(made.agent, made.blocks, author)
            made = replace(made, managed_group=group)
    return made


def _make(new: NewAgent, author: Author) -> MadeAgent:
    agent = _drafted(new)
    agent.save(force_insert=True)
    if new.block_ids:
        run_sync([lock_agents(block_actions.sharers(new.block_ids, agent.id))])
    blocks = _give_blocks(agent, new, author)
    tools = _give_tools(agent, new)
    variables = _seal_variables(agent, new.secrets)
    messages = _begin_history(agent, blocks, new.opening, author)
    block_actions.tell_sharers([block for block in blocks if block.id in new.block_ids], agent.id, author, "shared")
    return MadeAgent(agent, blocks, tools, variables, [message.id for message in messages])


def _give_companion(agent: Agent, blocks: Sequence[Block], author: Author) -> Group:
    """The group of the agents that tend this one's memory; made with such an agent if there is none."""
    return sleeptime.group_of(agent.id) or sleeptime.introduce(
        agent, _make(sleeptime.companion_of(agent, blocks), author).agent
    )


def _drafted(new: NewAgent) -> Agent:
    policy = policy_of(new.agent_type)
    assert new.model is not None
    assert new.context_window is not None
    files, file_chars = _file_limits(new.context_window)
    autoclear = new.agent_type == AgentKind.WORKFLOW or bool(new.message_buffer_autoclear)
    return Agent(
        id=new_id("agent"),
        name=checked_name(new.name or fresh_name()),
        agent_type=new.agent_type,
        description=new.description,
        system=new.system or policy.prompt,
        model=new.model,
        model_settings=checked_settings(new.model_settings),
        context_window=new.context_window,
        embedding=new.embedding or default_embedding(),
        tool_rules=checked_rules(new.tool_rules),
        compaction_settings=merged_compaction({}, new.compaction_settings),
        budgets=checked_budgets(new.budgets),
        response_format=checked_format(new.response_format),
        message_buffer_autoclear=autoclear,
        enable_sleeptime=new.enable_sleeptime,
        max_files_open=new.max_files_open or files,
        per_file_view_window_char_limit=new.per_file_view_window_char_limit or file_chars,
        tags=list(dict.fromkeys(new.tags)),
        metadata=dict(new.metadata),
        timezone=checked_timezone(new.timezone),
        hidden=new.hidden or "role:subagent" in new.tags,
    )


def checked_name(name: str) -> str:
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise InvalidInput(
            f"{name!r:.60} is no name for an agent: use at most {LONGEST_NAME} letters, digits, spaces, _, ' and -."
        )
    return name


def checked_timezone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(f"{name!r} is no time zone: write it as Europe/Berlin or UTC.") from None


def _file_limits(window: int) -> tuple[int, int]:
    return next(((files, chars) for largest, files, chars in _FILES_BY_WINDOW if window <= largest), (15, 40_000))


def _give_blocks(agent: Agent, new: NewAgent, author: Author) -> list[Block]:
    fields = [block_actions.with_stock_description(block) for block in new.memory_blocks]
    made = memory_blocks.create_many(author, fields)
    return [*made, *_link_blocks(agent.id, new.block_ids, made)]


def _link_blocks(agent_id: str, block_ids: Sequence[str], more: Sequence[Block] = ()) -> list[Block]:
    """Gives the agent the blocks of ``block_ids``, which are returned, and ``more``. Raises ``NotFound``,
    ``Refused`` for labels that clash."""
    found = in_order(Block, block_ids, "block")
    every = [*more, *found]
    labels = [block.label for block in every]
    if twice := {label for label in labels if labels.count(label) > 1}:
        raise Refused(f"An agent can hold one block of each label, and two are labelled {', '.join(sorted(twice))}.")
    AgentBlock.objects.bulk_create([AgentBlock(agent_id=agent_id, block=block, label=block.label) for block in every])
    return found


def in_order(model: type[Any], ids: Sequence[str], noun: str) -> list[Any]:
    """The rows of ``ids`` in their order, each once. Raises ``NotFound`` naming those that do not exist."""
    wanted = list(dict.fromkeys(ids))
    found = model.objects.in_bulk(wanted) if wanted else {}
    if missing := [each for each in wanted if each not in found]:
        raise NotFound(f"There is no {noun} {', '.join(missing)}.")
    return [found[each] for each in wanted]


def _give_tools(agent: Agent, new: NewAgent) -> list[Tool]:
    tools = [
        *tools_named(_own_tools(new), lenient=True),
        *tools_named(new.tools),
        *in_order(Tool, new.tool_ids, "tool"),
    ]
    chosen = list({tool.id: tool for tool in tools}.values())
    AgentTool.objects.bulk_create([AgentTool(agent=agent, tool=tool) for tool in chosen])
    rules = [*agent.tool_rules, *(approval_rule(tool.name) for tool in chosen if tool.default_requires_approval)]
    if wants_base_rules(agent.agent_type, agent.model, new.include_base_tool_rules):
        rules = with_base_rules(rules, chosen)
    if rules != agent.tool_rules:
        agent.tool_rules = rules
        agent.save(update_fields=["tool_rules"])
    return chosen


def _own_tools(new: NewAgent) -> list[str]:
    """The names of the tools of the agent's kind that were asked for."""
    policy = policy_of(new.agent_type)
    own = policy.sleeptime_tools if new.enable_sleeptime else policy.base_tools
    return [*(own if new.include_base_tools else ()), *(MULTI_AGENT_TOOLS if new.include_multi_agent_tools else ())]


def tools_named(names: Sequence[str], *, lenient: bool = False) -> list[Tool]:
    """The tools with these names, in order. Raises ``NotFound`` for a name that no tool has, unless ``lenient``."""
    found = {tool.name: tool for tool in Tool.objects.filter(name__in=names)} if names else {}
    if not lenient and (missing := [name for name in names if name not in found]):
        raise NotFound(f"There is no tool named {', '.join(missing)}.")
    return [found[name] for name in names if name in found]


def _seal_variables(agent: Agent, secrets: Mapping[str, str]) -> list[AgentVariable]:
    given = sorted(checked_variables(secrets).items())
    variables = [AgentVariable(agent=agent, key=key, sealed=seal(value)) for key, value in given]
    return AgentVariable.objects.bulk_create(variables)


def _begin_history(
    agent: Agent, blocks: Sequence[Block], opening: Sequence[Opening] | None, author: Author
) -> list[Message]:
    now = datetime.now(ZoneInfo(agent.timezone))
    system = stored_parts(prompt_parts(agent, blocks, MetadataFacts(now)))
    drafts = [
        Message(agent=agent, role="system", content=system),
        *opening_messages(agent, opening, now),
    ]
    told = [MessageCreated(draft.id, draft.role) for draft in drafts]
    attached = [BlockChanged(block.id, block.label, block.version, author, "attached") for block in blocks]
    first = publish(agent.id, AgentCreated(), *attached, *told) - len(told) + 1
    _save_numbered(drafts, first)
    agent.event_seq = first + len(told) - 1
    return drafts


def _save_numbered(drafts: Sequence[Message], first: int) -> None:
    """Saves messages at the end of the context; ``first`` is the number of the event that told of the first."""
    for seq, draft in enumerate(drafts, start=first):
        draft.seq = draft.context_position = seq
    Message.objects.bulk_create(drafts)


# --- changing -----------------------------------------------------------------------------------------------------


def get(agent_id: str) -> Agent:
    """Raises ``NotFound``."""
    agent = Agent.objects.filter(pk=agent_id).first()
    if agent is None:
        raise NotFound("Agent not found")
    return agent


def locked(agent_id: str) -> Agent:
    """The agent, held against other writers to the end of the transaction. Raises ``NotFound``."""
    if not run_sync([lock_agents([agent_id])])[0]:
        raise NotFound("Agent not found")
    return Agent.objects.get(pk=agent_id)


def modify(agent_id: str, changes: Mapping[str, Any], author: Author = Author.API) -> Agent:
    """The agent with ``changes`` made: its own fields, and "block_ids", "tool_ids", "secrets", "message_ids", each
    of which replaces the whole.

    ``compaction_settings``, ``model_settings`` and ``budgets`` are merged into what is there; a budget of None goes. Another model that
    takes less than the agent's context window makes that smaller, unless it is among the changes. Raises as ``create``.
    """
    if "model" in changes and "context_window" not in changes:
        changes = _within_window(get(agent_id), changes)
    with transaction.atomic():
        if "block_ids" in changes:
            _lock_sharers(agent_id, changes["block_ids"])
        agent = locked(agent_id)
        own = {name: value for name, value in changes.items() if name not in _RELATIONS}
        changed = [name for name, value in _merged(agent, own).items() if _set(agent, name, value)]
        if changed:
            agent.save(update_fields=changed)
        if LIMITS & set(changed):
            refit(agent)
        if "enable_sleeptime" in changed and agent.enable_sleeptime:
            _give_companion(agent, list(agent.blocks.order_by("agent_links__id")), author)
        for name, put in _RELATIONS.items():
            if name in changes:
                put(agent, changes[name], author)
                changed.append(_TOLD_AS.get(name, name))
        if changed:
            agent.event_seq = publish(agent_id, AgentChanged(changed))
    return agent


def _within_window(agent: Agent, changes: Mapping[str, Any]) -> Mapping[str, Any]:
    if changes["model"] == agent.model:
        return changes
    most = providers.context_window(check_handle(changes["model"]))
    return {**changes, "context_window": min(agent.context_window, most)}


def _merged(agent: Agent, changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(changes)
    for name in ("model_settings", "budgets"):
        if name in merged:
            merged[name] = getattr(agent, name) | merged[name]
    if "compaction_settings" in merged:
        merged["compaction_settings"] = merged_compaction(agent.compaction_settings, merged["compaction_settings"])
    return merged


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "name": checked_name,
    "timezone": checked_timezone,
    "model": check_handle,
    "tool_rules": checked_rules,
    "budgets": checked_budgets,
    "model_settings": checked_settings,
    "response_format": checked_format,
}


def _set(agent: Agent, name: str, value: Any) -> bool:
    checked = _CHECKS[name](value) if name in _CHECKS else value
    if getattr(agent, name) == checked:
        return False
    setattr(agent, name, checked)
    return True


def _replace_blocks(agent: Agent, block_ids: Sequence[str], author: Author) -> None:
    before = list(Block.objects.filter(agent_links__agent=agent))
    AgentBlock.objects.filter(agent=agent).delete()
    after = _link_blocks(agent.id, block_ids)
    ids_before, ids_after = ({block.id for block in blocks} for blocks in (before, after))
    told = [BlockChanged(b.id, b.label, b.version, author, "detached") for b in before if b.id not in ids_after]
    told += [BlockChanged(b.id, b.label, b.version, author, "attached") for b in after if b.id not in ids_before]
    if told:
        publish(agent.id, *told)
    block_actions.tell_sharers([block for block in before if block.id not in ids_after], agent.id, author, "unshared")
    block_actions.tell_sharers([block for block in after if block.id not in ids_before], agent.id, author, "shared")


def _lock_sharers(agent_id: str, block_ids: Sequence[str]) -> None:
    """Locks all whom the replacing of the agent's blocks is told, in one order."""
    held = AgentBlock.objects.filter(agent=agent_id).values_list("block_id", flat=True)
    run_sync([lock_agents([agent_id, *block_actions.sharers({*held, *block_ids}, agent_id)])])


def _replace_tools(agent: Agent, tool_ids: Sequence[str], author: Author) -> None:
    tools = in_order(Tool, tool_ids, "tool")
    AgentTool.objects.filter(agent=agent).delete()
    AgentTool.objects.bulk_create([AgentTool(agent=agent, tool=tool) for tool in tools])


def _replace_variables(agent: Agent, secrets: Mapping[str, str], author: Author) -> None:
    AgentVariable.objects.filter(agent=agent).delete()
    _seal_variables(agent, secrets)


_PLACE = """
UPDATE message SET context_position = %s - cardinality(%s::text[]) + chosen.place
FROM unnest(%s::text[]) WITH ORDINALITY AS chosen (id, place) WHERE message.id = chosen.id
"""


def _replace_context(agent: Agent, message_ids: Sequence[str], author: Author) -> None:
    """Puts these messages, in this order, into the context of the agent's own thread, and takes out all others."""
    thread = Message.objects.filter(agent=agent, conversation=None)
    roles = dict(thread.filter(id__in=message_ids).values_list("id", "role"))
    if missing := [each for each in message_ids if each not in roles]:
        raise NotFound(f"The agent has no message {', '.join(missing)}.")
    if not message_ids or roles[message_ids[0]] != "system":
        raise Refused("The first message of a context has to be a system message.")
    thread.filter(context_position__gt=WAITING).update(context_position=None)
    ids = list(dict.fromkeys(message_ids))
    run_sync([Statement(_PLACE, (agent.event_seq, ids, ids))])


_RELATIONS: dict[str, Callable[[Agent, Any, Author], None]] = {
    "block_ids": _replace_blocks,
    "tool_ids": _replace_tools,
    "secrets": _replace_variables,
    "message_ids": _replace_context,
}
_TOLD_AS = {"block_ids": "blocks", "tool_ids": "tools", "message_ids": "messages"}


def reset_messages(agent_id: str, *, open_anew: bool = False) -> Agent:
    """Takes all but the system message, compiled anew, out of the agent's context; the history stays. ``open_anew``: then comes what the
    history of a new agent of its kind begins with."""
    with transaction.atomic():
        agent = locked(agent_id)
        thread = Message.objects.filter(agent=agent, conversation=None, context_position__gt=WAITING)
        first = thread.filter(role="system").order_by("context_position").values_list("id", flat=True).first()
        thread.exclude(pk=first).update(context_position=None)
        recompile(agent)
        drafts = opening_messages(agent, None, datetime.now(ZoneInfo(agent.timezone))) if open_anew else []
        told = [MessageCreated(draft.id, draft.role) for draft in drafts]
        last = publish(agent_id, AgentChanged(["messages"]), *told)
        _save_numbered(drafts, last - len(drafts) + 1)
    return agent


def recompile_prompt(agent_id: str, conversation_id: str | None = None, *, dry_run: bool = False) -> str:
    """The system prompt of a thread, compiled from the memory of this moment, and stored unless ``dry_run``."""
    with transaction.atomic():
        agent = get(agent_id) if dry_run else locked(agent_id)
        text = recompile(agent, conversation_id, dry_run=dry_run)
        if not dry_run:
            publish(agent_id, AgentChanged(["messages"]))
    return text
