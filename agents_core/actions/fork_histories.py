"""The history of a fork: its parent's messages up to where it was made, under their numbers, as copies in a few statements."""

from collections.abc import Mapping
from typing import Any

from agents_core.actions.prompt import recompile
from agents_core.models import Agent, Conversation, Message, Role, SegmentKind, new_id
from agents_core.models.pipeline import Statement, run_sync
from agents_core.record.lines import current_line, cut, line_to
from agents_core.record.states import AgentState, places

_OLD_DEFAULT = "default thread"

# The thread of the state is the fork's default one; the others come along as conversations.
_THREAD = """CASE WHEN conversation_id IS NOT DISTINCT FROM %(thread)s THEN NULL WHEN conversation_id IS NULL THEN %(default)s
    ELSE copy_id(%(fork)s, conversation_id) END"""
_CONVERSATIONS = """
INSERT INTO conversation (id, agent_id, summary, model, model_settings, last_message_at)
SELECT copy_id(%(fork)s, id), %(fork)s, summary, model, model_settings, last_message_at FROM conversation
WHERE agent_id = %(parent)s AND id IS DISTINCT FROM %(thread)s
    AND EXISTS (SELECT FROM message WHERE conversation_id = conversation.id AND seq <= %(seq)s)
"""
_MESSAGES = f"""
INSERT INTO message (id, agent_id, conversation_id, seq, role, content, tool_calls, tool_returns, name, otid, sender_id,
                     context_position, indexed, created_at)
SELECT copy_id(%(fork)s, message.id), %(fork)s, {_THREAD}, seq, role, coalesce(before.content, message.content),
    coalesce(before.tool_calls, message.tool_calls), coalesce(before.tool_returns, message.tool_returns), name, otid, sender_id,
    placed.position, indexed AND before.content IS NULL, created_at
FROM message LEFT JOIN unnest(%(ids)s::text[], %(positions)s::bigint[]) AS placed (id, position) ON placed.id = message.id
    LEFT JOIN LATERAL (
        SELECT content, tool_calls, tool_returns FROM message_version WHERE message_id = message.id AND until > %(seq)s
        ORDER BY until LIMIT 1
    ) AS before ON true
WHERE agent_id = %(parent)s AND NOT (role = 'system' AND message.content -> 0 ? 'kind') AND (
    placed.id IS NOT NULL OR seq <= %(seq)s AND context_position IS DISTINCT FROM 0 AND CASE
        WHEN conversation_id IS DISTINCT FROM %(thread)s THEN NOT abandoned
        ELSE EXISTS (SELECT FROM unnest(%(firsts)s::bigint[], %(lasts)s::bigint[]) AS part (first, last) WHERE seq BETWEEN first AND last)
    END
)
RETURNING seq
"""
# The planner does not know yet how many messages were copied: looking through all of them for each word would take minutes.
_HASH_JOINS, _ANY_JOINS = "SET LOCAL enable_nestloop = off", "SET LOCAL enable_nestloop = on"
_VECTORS = """
INSERT INTO message_vector (message_id, agent_id, embedding, "window", embedding_model, length)
SELECT copied.id, %(fork)s, embedding, "window", embedding_model, length FROM message_vector AS vector
    JOIN message AS copied ON copied.id = copy_id(%(fork)s, vector.message_id)
WHERE vector.agent_id = %(parent)s AND copied.agent_id = %(fork)s AND copied.indexed
"""
_TERMS = """
WITH copied AS MATERIALIZED (
    SELECT original.id AS original, copied.id FROM message AS copied JOIN message AS original USING (seq)
    WHERE copied.agent_id = %(fork)s AND copied.indexed AND original.agent_id = %(parent)s
)
INSERT INTO message_term (agent_id, lexeme, message_id, frequency, length)
SELECT %(fork)s, lexeme, copied.id, frequency, length FROM message_term JOIN copied ON message_id = original
WHERE agent_id = %(parent)s
"""
_EVICTIONS = """
INSERT INTO eviction (agent_id, conversation_id, trigger, mode, message_ids, summary_id, tokens_before, tokens_after, messages_before,
    messages_after, summarised_by, generation, first_seq, last_seq, retention, kept_verbatim, unsupported, created_at)
SELECT %(fork)s, copied.conversation_id, trigger, mode,
    ARRAY(SELECT copy_id(%(fork)s, id) FROM unnest(message_ids) WITH ORDINALITY AS gone (id, place) ORDER BY place), copied.id,
    tokens_before, tokens_after, messages_before, messages_after, summarised_by, generation, first_seq, last_seq, retention,
    kept_verbatim, unsupported, eviction.created_at
FROM eviction JOIN message AS copied ON copied.id = copy_id(%(fork)s, summary_id) WHERE eviction.agent_id = %(parent)s
"""


def copy_history(made: Agent, state: AgentState) -> None:
    """Copies the messages that the parent remembered in that state, those of its context at their places, and how they are found."""
    if state.conversation_id:
        summary = f"The {_OLD_DEFAULT} of {state.agent_id}"
        old_default: str | None = Conversation.objects.create(agent=made, summary=summary).pk
    else:
        old_default = None
    placed = places(state.messages)
    last = placed[-1][1] if placed else 0
    line = _line(state)
    about = {
        "fork": made.id,
        "parent": state.agent_id,
        "thread": state.conversation_id,
        "default": old_default,
        "seq": state.seq,
        "ids": [message_id for message_id, _ in placed],
        "positions": [state.seq - last + place for _, place in placed],
        "firsts": [first for first, _ in line],
        "lasts": [last for _, last in line],
    }
    statements = (_CONVERSATIONS, _MESSAGES, _HASH_JOINS, _VECTORS, _TERMS, _ANY_JOINS, _EVICTIONS)
    _, seqs, *_ = run_sync(Statement(sql, about) for sql in statements)
    made.event_seq = max([state.seq, *(seq for (seq,) in seqs)])
    Agent.objects.filter(pk=made.pk).update(event_seq=made.event_seq)


def _line(state: AgentState) -> Any:
    if state.step_number is None:
        return cut(current_line(state.agent_id, state.conversation_id), state.seq)
    return line_to(state.agent_id, state.conversation_id, state.seq)


def give_prompt(made: Agent, state: AgentState, blocks: Mapping[str, str], *, compile_anew: bool) -> None:
    """The system message that holds the fork's prompt: its parent's, said of the fork and its ``blocks`` (ids of copies by the
    originals'), or compiled anew."""
    parent_own = Message.objects.filter(agent=state.agent_id, conversation=state.conversation_id, role=Role.SYSTEM)
    seq = parent_own.filter(content__0__has_key="kind").order_by("seq").values_list("seq", flat=True).first()
    renamed = {state.agent_id: made.id, **({state.conversation_id: "default"} if state.conversation_id else {})}
    first = Message.objects.filter(agent=made, context_position__isnull=False).order_by("context_position").first()
    Message.objects.create(
        id=new_id("message"),
        agent=made,
        role=Role.SYSTEM,
        seq=seq or 0,
        content=[said_of(part, renamed, blocks) for part in state.system],
        context_position=first.context_position - 1 if first and first.context_position else state.seq,
    )
    if compile_anew:
        recompile(made)


def said_of(part: Mapping[str, Any], renamed: Mapping[str, str], blocks: Mapping[str, str]) -> dict[str, Any]:
    """A part of a prompt with other ids: of ``blocks`` where it says what it shows, ``renamed`` where it tells about the agent."""
    source_id = part.get("source_id", "")
    text = part["text"]
    if part.get("kind") == SegmentKind.METADATA:
        for old, new in renamed.items():
            text = text.replace(old, new)
    return {**part, "source_id": blocks.get(source_id, source_id), "text": text}
