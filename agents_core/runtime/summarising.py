"""The text that takes the place of evicted messages: who is asked for it, what it is made from, and what stands in when nobody answers."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import NamedTuple

from agents_core.llm import catalog, tokens
from agents_core.llm.errors import ModelError
from agents_core.llm.offline.summary import SUMMARY_REQUEST
from agents_core.llm.types import ChatMessage, Finished, ModelRequest, Sent, Text
from agents_core.models import Role, SegmentKind, pipeline
from agents_core.models.pipeline import Statement
from agents_core.record.segments import Piece, Plan
from agents_core.runtime.beginning import start_step
from agents_core.runtime.compaction_settings import SELF_ALL, SELF_SLIDING, CompactionSettings
from agents_core.runtime.context import ContextWindow
from agents_core.runtime.interrupt import stoppable
from agents_core.runtime.persist import commit_of
from agents_core.runtime.providers import Connection, UnknownModel, connections
from agents_core.runtime.recording import ModelCall
from agents_core.runtime.state import StoredMessage, Turn

SUMMARY_SHARE = 0.1
"""The share of the context window that a summary fills at most."""

FROM_ORIGINALS_AT = 3
"""The generation of a summary that is made from the messages themselves again, as far as they can be read at once."""

_CHARS_PER_TOKEN = 4
_CLIP_CHARS = 4000
_MOST_ORIGINALS = 2000
_GUIDE = """\
Keep what it needs to go on: facts about the person, names, numbers, dates, what was decided and promised, open questions, what \
must not be done, errors and how they were solved. An earlier summary among the messages is to be carried over, not dropped. \
Invent nothing."""
_ASKED = f"{SUMMARY_REQUEST} below between a person and an assistant, for the assistant itself, which will no longer see these messages."
_ASKED_IN_THREAD = (
    f"{SUMMARY_REQUEST} above for yourself: you will no longer see these messages. Answer with the summary alone."
)
_ACKNOWLEDGEMENT = "Understood. I answer with the summary alone."


class Source(NamedTuple):
    """What a summary is made from. ``generation`` counts the summaries that a fact in it may have passed through, this one included."""

    messages: list[StoredMessage]
    generation: int


class Attempt(NamedTuple):
    """One way to a summary: who leaves, and who is asked. ``chars``: how much of the messages is sent. ``after_overflow``: only when the
    attempt before was found too long."""

    mode: str
    evicted: list[StoredMessage]
    connection: Connection
    handle: str
    chars: int
    after_overflow: bool = False

    @property
    def in_thread(self) -> bool:
        return self.mode in (SELF_ALL, SELF_SLIDING)


@dataclass(frozen=True, slots=True)
class Summary:
    """A call that was asked for a summary, with the id and number of its step. ``text`` is "" when none came."""

    call: ModelCall
    step_id: str
    number: int
    source: Source
    text: str


def room_tokens(turn: Turn) -> int:
    return round(turn.agent.context_window * SUMMARY_SHARE)


def room_chars(turn: Turn, settings: CompactionSettings) -> int:
    room = room_tokens(turn) * _CHARS_PER_TOKEN
    return room if settings.clip_chars is None else min(room, settings.clip_chars)


def clipped(turn: Turn, settings: CompactionSettings, text: str) -> str:
    """``text``, cut to the room of a summary: it must not fill the window that it is to empty."""
    room = room_chars(turn, settings)
    cut: str = pipeline.storable(text.strip().encode("utf-8", "replace")[:room].decode(errors="ignore"))
    return cut


# --- who is asked ----------------------------------------------------------------------------------------------------


async def attempts(
    turn: Turn, connection: Connection, settings: CompactionSettings, mode: str, evicted: list[StoredMessage]
) -> list[Attempt]:
    """The ways to a summary in ``mode``: the model of the settings first, where it can be reached, and the agent's own."""
    own = Attempt(mode, evicted, connection, turn.model, turn.agent.context_window * 2)
    if own.in_thread:
        return [own]
    chosen = [own]
    if settings.model not in (None, turn.model):
        with suppress(UnknownModel):
            other = await connections().connect(str(settings.model))
            chars = catalog.facts(other.handle).context_window * 2
            chosen.insert(0, own._replace(connection=other, handle=str(settings.model), chars=chars))
    return [each for one in chosen for each in (one, one._replace(chars=one.chars // 2, after_overflow=True))]


async def ask(
    turn: Turn,
    window: ContextWindow,
    settings: CompactionSettings,
    attempt: Attempt,
    begun: tuple[str, int] | None = None,
) -> Summary:
    """One model call for a summary, with a step of its own in the record: ``begun``, its id and number, or a new one.

    Raises ``RunCancelled``, ``BudgetExceeded``.
    """
    source = await source_of(turn, attempt)
    words = round(room_tokens(turn) * 0.6)
    request, plan = (
        _in_thread(window, settings, attempt, words) if attempt.in_thread else _apart(settings, attempt, source, words)
    )
    step_id, number = begun or await _begin_step(turn)
    call = ModelCall(attempt.connection, plan, attempt.handle, round(plan.tokens * turn.token_ratio))
    await stoppable(turn, _call(call, request))
    text = call.finished.message.text if call.finished and not call.error else ""
    return Summary(call, step_id, number, source, clipped(turn, settings, text))


async def _begin_step(turn: Turn) -> tuple[str, int]:
    begin = commit_of(turn)
    step_id = start_step(begin, turn.run_id, "summary")
    return step_id, (await begin.run())["step"][0][1]


async def _call(call: ModelCall, request: ModelRequest) -> None:
    try:
        async for item in call.connection.provider.stream(request):
            if isinstance(item, Sent):
                call.sent = item
            elif isinstance(item, Finished):
                call.finished, call.usage = item, item.usage
    except ModelError as error:
        call.error = error


def _apart(settings: CompactionSettings, attempt: Attempt, source: Source, words: int) -> tuple[ModelRequest, Plan]:
    """The messages as a transcript, for a model that need not be the agent's."""
    system = f"{_ASKED} {settings.prompt or _GUIDE} Write at most {words} words."
    text = transcript(source.messages, attempt.chars)
    said = [ChatMessage("user", (Text(text),))]
    pieces = [Piece(SegmentKind.MESSAGE, source.messages[0].id, "to summarise", tokens.count(text))]
    if settings.prompt_acknowledgement:
        said.insert(0, ChatMessage("assistant", (Text(_ACKNOWLEDGEMENT),)))
        pieces.insert(0, Piece(SegmentKind.MESSAGE, "", "acknowledgement", tokens.count_message(said[0])))
    request = ModelRequest(
        attempt.connection.model,
        system,
        tuple(said),
        max_output_tokens=settings.model_settings.get("max_output_tokens"),
        temperature=settings.model_settings.get("temperature"),
    )
    return request, Plan(
        [Piece(SegmentKind.SYSTEM, "", "Summary instructions", tokens.count(system), system)], [], pieces
    )


def _in_thread(
    window: ContextWindow, settings: CompactionSettings, attempt: Attempt, words: int
) -> tuple[ModelRequest, Plan]:
    """The agent's own request as far as it is to be summarised, which the provider has cached, and the question after it."""
    leaving = {message.id for message in attempt.evicted}
    pairs = zip(window.plan.messages, window.request.messages, strict=True)
    shown = [(piece, message) for piece, message in pairs if piece.source_id in leaving]
    question = ChatMessage(
        "user", (Text(f"{_ASKED_IN_THREAD} {settings.prompt or _GUIDE} Write at most {words} words."),)
    )
    request = replace(
        window.request,
        messages=(*(message for _, message in shown), question),
        tool_choice="none",
        response_format=None,
    )
    asked = Piece(SegmentKind.MESSAGE, "", "Summary instructions", tokens.count_message(question))
    return request, Plan(window.plan.system, window.plan.tools, [*(piece for piece, _ in shown), asked])


# --- what it is made from --------------------------------------------------------------------------------------------

_LINEAGE = "SELECT max(generation), min(first_seq), max(last_seq) FROM eviction WHERE summary_id = ANY(%s)"
_ORIGINALS = f"""
SELECT id, role, content, tool_calls, tool_returns FROM message
WHERE agent_id = %s AND conversation_id IS NOT DISTINCT FROM %s AND seq BETWEEN %s AND %s AND role NOT IN ('system', 'summary')
    AND NOT abandoned AND id <> ALL(%s)
ORDER BY seq DESC LIMIT {_MOST_ORIGINALS}
"""


async def source_of(turn: Turn, attempt: Attempt) -> Source:
    """The evicted messages; in place of a summary that was itself made from one, or after it, the messages that it stood for.

    They take its place, and the generation begins anew, when they can all be sent; else it stays, with the latest of them.
    """
    evicted = attempt.evicted
    summaries = [message.id for message in evicted if message.role == Role.SUMMARY]
    if not summaries:
        return Source(evicted, 1)
    generation, first, last = (await pipeline.run([Statement(_LINEAGE, (summaries,))]))[0][0]
    generation = (generation or 1) + 1
    if attempt.in_thread or generation < FROM_ORIGINALS_AT or first is None:
        return Source(evicted, generation)
    ids = [message.id for message in evicted]
    asked = (turn.agent.id, turn.conversation_id, first, last, ids)
    originals = [StoredMessage(*row) for row in (await pipeline.run([Statement(_ORIGINALS, asked)]))[0]]
    fresh = [message for message in evicted if message.role != Role.SUMMARY]
    chosen = _latest(originals, attempt.chars - _length(evicted))
    if len(chosen) == len(originals) < _MOST_ORIGINALS:
        return Source([*chosen, *fresh], 1)
    return Source([*(message for message in evicted if message.role == Role.SUMMARY), *chosen, *fresh], generation)


def _latest(newest_first: Sequence[StoredMessage], chars: int) -> list[StoredMessage]:
    """As many of the latest messages as fit, in their order."""
    chosen: list[StoredMessage] = []
    for message in newest_first:
        chars -= _length([message])
        if chars < 0:
            break
        chosen.append(message)
    return chosen[::-1]


def _length(messages: Sequence[StoredMessage]) -> int:
    return sum(len(line) + 1 for message in messages for line in _lines(message))


def transcript(messages: Sequence[StoredMessage], chars: int) -> str:
    """The messages as lines; when they are longer than ``chars``, the middle is left out."""
    text = "\n".join(line for message in messages for line in _lines(message))
    if len(text) <= chars:
        return text
    half = chars // 2
    return f"{text[:half]}\n[… left out: {len(text) - 2 * half:,} characters …]\n{text[-half:]}"


def _lines(message: StoredMessage) -> list[str]:
    said = [f"{message.role}: {message.text[:_CLIP_CHARS]}"] if message.text else []
    called = [f"assistant calls {call['name']}({call['arguments'][:_CLIP_CHARS]})" for call in message.tool_calls]
    returned = [f"{answer['name']} returned: {answer['value'][:_CLIP_CHARS]}" for answer in message.tool_returns]
    return said + called + returned


def fallback(messages: Sequence[StoredMessage]) -> str:
    """What to say without a summariser: how the conversation began and ended, and how to find the rest."""
    said = [message for message in messages if message.text]
    shown = said if len(said) <= 6 else [*said[:3], *said[-3:]]
    lines = [f"- {message.role}: {' '.join(message.text.split())[:200]}" for message in shown]
    return f"(No summary could be made of {len(messages)} messages. First and last of them:)\n" + "\n".join(lines)
