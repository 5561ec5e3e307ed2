"""When the window fills: the oldest messages leave it, and a summary comes in their place. They stay in recall memory."""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from agents_core.events.types import ContextCompacted, StepEnded
from agents_core.llm import tokens
from agents_core.llm.errors import ModelError
from agents_core.llm.offline.summary import SUMMARY_REQUEST
from agents_core.llm.types import ChatMessage, Finished, ModelRequest, Sent, Text
from agents_core.models import Role, SegmentKind, StepStatus, new_id
from agents_core.models.pipeline import Statement, storable
from agents_core.record.segments import Piece, Plan
from agents_core.runtime.context import ContextWindow
from agents_core.runtime.persist import NewMessage, commit_of, start_step
from agents_core.runtime.providers import Connection
from agents_core.runtime.recording import ModelCall, StepEnd, record_call
from agents_core.runtime.state import StoredMessage, Turn

THRESHOLD, EXCEEDED = "threshold", "context_window_exceeded"

KEEP_SHARE = 0.7
"""The share of the context window that a compaction leaves filled at most (contract: agent-loop, section 6: 1 - 0.30)."""

EVICT_SHARE = 0.5
"""The share of the messages' tokens that leaves at least when the model finds the request too long: our count was wrong then."""

_SUMMARY_SHARE = 0.1
_BYTES_PER_TOKEN = 4
_CLIP_CHARS = 4000
_PREFIX = "The following is a summary of the previous messages, which are no longer in view. Search them with conversation_search.\n\n"

_INSTRUCTIONS = f"""\
{SUMMARY_REQUEST} below between a person and an assistant, for the assistant itself, which will no longer see these messages. Keep what it \
needs to go on: facts about the person, names, numbers, dates, what was decided and promised, open questions, what \
must not be done, errors \
and how they were solved. An earlier summary among the messages is to be carried over, not dropped. Invent nothing. \
Write at most %d words."""

_PLACE = """
UPDATE message SET context_position = (SELECT max(context_position) FROM message WHERE id = ANY(%s)) WHERE id = %s
"""
_EVICT = "UPDATE message SET context_position = NULL WHERE id = ANY(%s)"
_RECORD = """
INSERT INTO eviction (agent_id, conversation_id, run_id, step_id, trigger, mode, message_ids, summary_id,
                      tokens_before, tokens_after, messages_before, messages_after)
VALUES (%s, %s, %s, %s, %s, 'sliding_window', %s, %s, %s, %s, %s, %s)
"""


class _Summary(NamedTuple):
    """The call that was asked for a summary, with the id and number of its step."""

    call: ModelCall
    step_id: str
    number: int


async def compact(turn: Turn, connection: Connection, window: ContextWindow, trigger: str) -> bool:
    """Evicts the oldest messages of a turn and summarises them; False when nothing could leave that would help.

    A summariser that fails costs the summary's quality, never a message: the fallback lists what the messages were about.
    """
    evicted = choose_evicted(turn, window, EVICT_SHARE if trigger == EXCEEDED else 0)
    if not evicted:
        return False
    room = round(turn.agent.context_window * _SUMMARY_SHARE)
    summary = await _ask_for_summary(turn, connection, evicted, round(room * 0.6))
    text = _clipped(summary.call.finished.message.text, room) if summary.call.finished else ""
    await _commit(turn, window, trigger, evicted, _PREFIX + (text or _fallback(evicted)), summary)
    return True


def _clipped(text: str, room: int) -> str:
    """``text``, cut to about ``room`` tokens: a summary must not fill the window that it is to empty."""
    clipped: str = storable(text.strip().encode("utf-8", "replace")[: room * _BYTES_PER_TOKEN].decode(errors="ignore"))
    return clipped


def choose_evicted(turn: Turn, window: ContextWindow, at_least: float = 0) -> list[StoredMessage]:
    """The oldest messages whose leaving brings the window under ``KEEP_SHARE``, cut where no tool call is parted from its return.

    Messages that wait for an answer stay; a lone summary is not evicted again for itself. None leave when the rest would not fit either.

    Args:
        at_least: the share of the messages' tokens that has to leave in any case.
    """
    candidates = [message for message in turn.messages if not message.waiting]
    sizes: dict[str, int] = {}
    for piece in window.plan.messages:
        sizes[piece.source_id] = sizes.get(piece.source_id, 0) + piece.tokens
    surplus = window.tokens - turn.agent.context_window * KEEP_SHARE
    freed = list(accumulate(round(sizes.get(message.id, 0) * turn.token_ratio) for message in candidates))
    if not freed or window.tokens - freed[-1] > turn.agent.context_window:
        return []
    surplus = max(surplus, freed[-1] * at_least)
    cuts = [at for at in range(1, len(candidates) + 1) if _may_cut(candidates, at)]
    enough = [at for at in cuts if freed[at - 1] >= surplus]
    chosen = candidates[: (enough[0] if enough else cuts[-1] if cuts else 0)]
    return [] if all(message.role == Role.SUMMARY for message in chosen) else chosen


def _may_cut(messages: Sequence[StoredMessage], at: int) -> bool:
    """Whether a cut before message ``at`` keeps together calls and returns, and the messages that one run answers (at one position)."""
    if at == len(messages):
        return True
    position = messages[at].position
    return messages[at].role != Role.TOOL and (position is None or position != messages[at - 1].position)


async def _ask_for_summary(
    turn: Turn, connection: Connection, evicted: Sequence[StoredMessage], words: int
) -> _Summary:
    """One model call for the summary, with a step of its own in the record."""
    instructions, transcript = _INSTRUCTIONS % words, _transcript(evicted, turn.agent.context_window)
    plan = Plan(
        [Piece(SegmentKind.SYSTEM, "", "Summary instructions", tokens.count(instructions), instructions)],
        [],
        [Piece(SegmentKind.MESSAGE, evicted[0].id, "to summarise", tokens.count(transcript))],
    )
    begin = commit_of(turn)
    step_id = start_step(begin, turn.run_id, "summary")
    number = (await begin.run())["step"][0][1]
    call = ModelCall(connection, plan, turn.model, round(plan.tokens * turn.token_ratio))
    request = ModelRequest(connection.model, instructions, (ChatMessage("user", (Text(transcript),)),))
    try:
        async for item in connection.provider.stream(request):
            if isinstance(item, Sent):
                call.sent = item
            elif isinstance(item, Finished):
                call.finished, call.usage = item, item.usage
    except ModelError as error:
        call.error = error
    return _Summary(call, step_id, number)


async def _commit(
    turn: Turn, window: ContextWindow, trigger: str, evicted: Sequence[StoredMessage], text: str, summary: _Summary
) -> None:
    call, step_id, number = summary
    message = NewMessage(new_id("message"), Role.SUMMARY, [{"type": "text", "text": text}])
    gone = {evictee.id for evictee in evicted}
    freed = sum(piece.tokens for piece in window.plan.messages if piece.source_id in gone)
    after = round((window.plan.tokens - freed + tokens.count(text)) * turn.token_ratio)
    kept = [other for other in turn.messages if other.id not in gone]
    commit = commit_of(turn, step_id)
    status = StepStatus.SUCCESS if call.finished else StepStatus.FAILED
    record_call(commit, turn, call, step_id, StepEnd(status))
    commit.message(message)
    commit.add(Statement(_PLACE, (list(gone), message.id)))
    commit.add(Statement(_EVICT, (list(gone),)))
    facts = (
        turn.agent.id,
        turn.conversation_id,
        turn.run_id,
        step_id,
        trigger,
        [evictee.id for evictee in evicted],
        message.id,
    )
    commit.add(Statement(_RECORD, (*facts, window.tokens, after, len(turn.messages), len(kept) + 1)))
    commit.emit(ContextCompacted(message.id))
    commit.emit(StepEnded(number, status))
    await commit.run()
    turn.messages = [message.stored(), *kept]


def _transcript(messages: Sequence[StoredMessage], context_window: int) -> str:
    """The messages as lines; when they are too many for the summariser's window, the middle is left out."""
    text = "\n".join(line for message in messages for line in _lines(message))
    limit = context_window * 2  # characters: about half of the window in tokens
    if len(text) <= limit:
        return text
    return f"{text[: limit // 2]}\n[… left out: {len(text) - limit:,} characters …]\n{text[-limit // 2 :]}"


def _lines(message: StoredMessage) -> list[str]:
    said = [f"{message.role}: {message.text[:_CLIP_CHARS]}"] if message.text else []
    called = [f"assistant calls {call['name']}({call['arguments'][:_CLIP_CHARS]})" for call in message.tool_calls]
    returned = [f"{answer['name']} returned: {answer['value'][:_CLIP_CHARS]}" for answer in message.tool_returns]
    return said + called + returned


def _fallback(messages: Sequence[StoredMessage]) -> str:
    """What to say without a summariser: how the conversation began and ended, and how to find the rest."""
    said = [message for message in messages if message.text]
    shown = said if len(said) <= 6 else [*said[:3], *said[-3:]]
    lines = [f"- {message.role}: {' '.join(message.text.split())[:200]}" for message in shown]
    return f"(No summary could be made of {len(messages)} messages. First and last of them:)\n" + "\n".join(lines)
