"""When the window fills: messages leave it, and a summary comes in their place. They stay in recall memory."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from agents_core.events.types import ContextCompacted, StepEnded
from agents_core.llm import tokens
from agents_core.llm.errors import ContextWindowExceeded
from agents_core.memory.render import PromptPart, stored_parts, text_of
from agents_core.models import Role, StepStatus, new_id
from agents_core.models.pipeline import Statement, json
from agents_core.runtime.compaction_settings import CompactionSettings
from agents_core.runtime.context import ContextWindow, compile_anew, system_pieces
from agents_core.runtime.evicting import EVICT_SHARE, choose_evicted
from agents_core.runtime.persist import Commit, NewMessage, commit_of
from agents_core.runtime.providers import Connection
from agents_core.runtime.recording import StepEnd, record_call
from agents_core.runtime.state import StoredMessage, Turn
from agents_core.runtime.summarising import (
    Attempt,
    Source,
    Summary,
    ask,
    attempts,
    clipped,
    fallback,
    room_chars,
    transcript,
)
from agents_core.runtime.summary_guards import Guarded, guarded

THRESHOLD, EXCEEDED, REQUESTED = "threshold", "context_window_exceeded", "requested"

SUMMARY_PREFIX = (
    "The following is a summary of the previous messages, which are no longer in view. "
    "Search them with conversation_search.\n\n"
)
"""Stands before every stored summary."""

_READ_CHARS = 4_000_000

_SYSTEM_TEXT = "UPDATE message SET content = %s WHERE id = %s"
_PLACE = """
UPDATE message SET context_position = (SELECT max(context_position) FROM message WHERE id = ANY(%s)) WHERE id = %s
"""
_EVICT = "UPDATE message SET context_position = NULL WHERE id = ANY(%s)"
_RECORD = """
INSERT INTO eviction (agent_id, conversation_id, run_id, step_id, trigger, mode, message_ids, summary_id, tokens_before, tokens_after,
                      messages_before, messages_after, summarised_by, generation, retention, kept_verbatim, unsupported,
                      first_seq, last_seq)
SELECT %s, %s, %s, %s, %s, %s, %s::text[], %s, %s, %s, %s, %s, %s, %s, %s::float8, %s::text[], %s::text[],
    least((SELECT min(seq) FROM message WHERE id = ANY(%s) AND role <> 'summary'),
          (SELECT min(first_seq) FROM eviction WHERE summary_id = ANY(%s))),
    greatest((SELECT max(seq) FROM message WHERE id = ANY(%s) AND role <> 'summary'),
             (SELECT max(last_seq) FROM eviction WHERE summary_id = ANY(%s)))
"""


class _Made(NamedTuple):
    """What is to be committed: who leaves, and the text for them. ``summary`` is None when no model gave it."""

    mode: str
    evicted: list[StoredMessage]
    source: Source
    checked: Guarded
    summary: Summary | None
    step_id: str


async def compact(
    turn: Turn,
    connection: Connection,
    window: ContextWindow,
    trigger: str,
    settings: CompactionSettings | None = None,
    *,
    begun: tuple[str, int] | None = None,
    finish: Callable[[Commit], None] | None = None,
) -> bool:
    """Evicts messages of a turn and puts a summary in their place, in one commit; False when nothing could leave that would help.

    A summariser that fails costs the summary's quality, never a message: the fallback lists what the messages were about.

    Args:
        settings: the agent's own, unless given.
        begun: id and number of a step of the run that has no call yet, for the first summariser that is asked.
        finish: adds to the commit.
    """
    settings = settings or CompactionSettings.of(turn.agent.compaction_settings)
    plans = _plans(turn, window, settings, trigger)
    if not plans:
        return False
    made = await _made(turn, connection, window, settings, plans, begun)
    await _commit(turn, connection, window, trigger, made, finish)
    return True


def leaving(turn: Turn, window: ContextWindow) -> list[StoredMessage]:
    """The messages that a compaction at the threshold would take out of the context; [] when it cannot help."""
    plans = _plans(turn, window, CompactionSettings.of(turn.agent.compaction_settings), THRESHOLD)
    return plans[0][1] if plans else []


def _plans(
    turn: Turn, window: ContextWindow, settings: CompactionSettings, trigger: str
) -> list[tuple[str, list[StoredMessage]]]:
    """The modes to try in turn, each with the messages that would leave. Who asked for it wants fewer messages afterwards."""
    at_least = EVICT_SHARE if trigger == EXCEEDED else 0
    fewest = 2 if trigger == REQUESTED else 1
    chosen = [(mode, choose_evicted(turn, window, mode, settings, at_least)) for mode in settings.attempts]
    return [(mode, evicted) for mode, evicted in chosen if len(evicted) >= fewest]


async def _made(
    turn: Turn,
    connection: Connection,
    window: ContextWindow,
    settings: CompactionSettings,
    plans: Sequence[tuple[str, list[StoredMessage]]],
    begun: tuple[str, int] | None,
) -> _Made:
    """The first summary that a model gives; without one, what the first plan's messages were about."""
    failed: Summary | None = None
    for mode, evicted in plans:
        for attempt in await attempts(turn, connection, settings, mode, evicted):
            if attempt.after_overflow and not (failed and isinstance(failed.call.error, ContextWindowExceeded)):
                continue
            summary = await ask(turn, window, settings, attempt, None if failed else begun)
            if summary.text:
                return _checked(turn, settings, attempt, summary)
            await _record_failed(turn, summary)
            failed = summary
    assert failed is not None
    mode, evicted = plans[0]
    text = clipped(turn, settings, fallback(evicted))
    source = Source(evicted, failed.source.generation)
    return _Made(mode, evicted, source, Guarded(text, None, [], []), None, failed.step_id)


async def _record_failed(turn: Turn, summary: Summary) -> None:
    commit = commit_of(turn, summary.step_id)
    record_call(commit, turn, summary.call, summary.step_id, StepEnd(StepStatus.FAILED))
    commit.emit(StepEnded(summary.number, StepStatus.FAILED))
    await commit.run()


def _checked(turn: Turn, settings: CompactionSettings, attempt: Attempt, summary: Summary) -> _Made:
    source = summary.source
    read = transcript(source.messages, _READ_CHARS)
    checked = guarded(summary.text, source.messages, read, turn.system_text, room_chars(turn, settings))
    return _Made(attempt.mode, attempt.evicted, source, checked, summary, summary.step_id)


async def _commit(
    turn: Turn,
    connection: Connection,
    window: ContextWindow,
    trigger: str,
    made: _Made,
    finish: Callable[[Commit], None] | None,
) -> None:
    gone = {message.id for message in made.evicted}
    kept = [message for message in turn.messages if message.id not in gone]
    parts = await compile_anew(turn, connection.provider_name, leaving=len(gone))
    text = SUMMARY_PREFIX + made.checked.text
    facts = {
        "trigger": trigger,
        "context_tokens_before": window.tokens,
        "context_tokens_after": _tokens_after(turn, window, gone, parts, text),
        "context_window": turn.agent.context_window,
        "messages_count_before": len(turn.messages) + 1,
        "messages_count_after": len(kept) + 2,
    }
    message = NewMessage(new_id("message"), Role.SUMMARY, [{"type": "text", "text": text, "compaction": facts}])
    commit = commit_of(turn, made.step_id)
    if made.summary:
        record_call(commit, turn, made.summary.call, made.step_id, StepEnd(StepStatus.SUCCESS))
    commit.message(message)
    commit.add(Statement(_PLACE, (list(gone), message.id)))
    commit.add(Statement(_EVICT, (list(gone),)))
    commit.add(_record(turn, made, message.id, facts))
    if turn.system_id:
        commit.add(Statement(_SYSTEM_TEXT, (json(stored_parts(parts)), turn.system_id)))
    commit.emit(ContextCompacted(message.id))
    if made.summary:
        commit.emit(StepEnded(made.summary.number, StepStatus.SUCCESS))
    if finish:
        finish(commit)
    await commit.run()
    turn.messages = [message.stored(), *kept]
    turn.system_parts = parts


def _tokens_after(turn: Turn, window: ContextWindow, gone: set[str], parts: Sequence[PromptPart], text: str) -> int:
    plan = window.plan
    is_own = window.request.system == text_of(window.parts)
    system = system_pieces(parts) if is_own else plan.system
    kept = [piece for piece in plan.messages if piece.source_id not in gone]
    counted = sum(piece.tokens for piece in (*system, *plan.tools, *kept)) + tokens.count(text) + tokens.MESSAGE_TOKENS
    return round(counted * turn.token_ratio)


def _record(turn: Turn, made: _Made, summary_id: str, facts: dict[str, object]) -> Statement:
    ids = [message.id for message in made.evicted]
    names = ("context_tokens_before", "context_tokens_after", "messages_count_before", "messages_count_after")
    numbers = [facts[name] for name in names]
    handle = made.summary.call.handle if made.summary else ""
    checked = made.checked
    return Statement(
        _RECORD,
        (
            *(
                turn.agent.id,
                turn.conversation_id,
                turn.run_id,
                made.step_id,
                facts["trigger"],
                made.mode,
                ids,
                summary_id,
            ),
            *numbers,
            *(handle, made.source.generation, checked.retention, checked.kept, checked.unsupported),
            *(ids, ids, ids, ids),
        ),
    )
