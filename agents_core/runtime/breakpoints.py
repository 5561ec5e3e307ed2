"""Which breakpoints stop a run where it stands now. An agent without any pays for none of it."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from asgiref.sync import sync_to_async

from agents_core.events.types import BreakpointLogged
from agents_core.llm.errors import ModelError
from agents_core.llm.types import Sent
from agents_core.models import BreakpointKind, SegmentKind, Step, StepKind, pipeline
from agents_core.models.pipeline import Statement
from agents_core.record.compare import content
from agents_core.record.expressions import ExpressionRefused, parse
from agents_core.record.segments import CutSegment, cut
from agents_core.record.steps import SegmentView, segments_of
from agents_core.runtime.calls import PlannedCall
from agents_core.runtime.context import ContextWindow
from agents_core.runtime.pausing import Reason
from agents_core.runtime.persist import commit_of
from agents_core.runtime.providers import Connection
from agents_core.runtime.state import BreakpointFacts, StoredMessage, Turn

NEXT_STEP, ANYWHERE = "model", "any"
"""Where a person lets a run stop next: before its next model call, or wherever it can."""


@dataclass(frozen=True, slots=True)
class _Hit:
    """What a breakpoint looks for is there, whatever its condition says. ``scope``: the names of the condition."""

    of: BreakpointFacts
    text: str
    scope: Callable[[], Mapping[str, Any]]
    call_id: str = ""
    label: str = ""


async def _reasons(turn: Turn, hits: Iterator[_Hit] | Sequence[_Hit]) -> list[Reason]:
    """The hits that stop the run: their condition holds, often enough. Logpoints say so and do not stop it."""
    reasons = []
    for hit in hits:
        if not _holds(hit) or await _times(hit.of) < hit.of.nth:
            continue
        if hit.of.log:
            await _log(turn, hit)
        else:
            reasons.append(Reason(hit.text, hit.of.kind, hit.of.id, hit.call_id, hit.label))
    return reasons


def _holds(hit: _Hit) -> bool:
    if not hit.of.condition:
        return True
    try:
        return bool(parse(hit.of.condition).value(hit.scope()))
    except ExpressionRefused:  # Better to stop once too often: a person then sees why.
        return True


_COUNT = "UPDATE breakpoint SET hits = hits + 1 WHERE id = %s RETURNING hits"


async def _times(hit: BreakpointFacts) -> int:
    """How often it was hit, this time included; 0 of one that was deleted."""
    rows = (await pipeline.run([Statement(_COUNT, (hit.id,))]))[0]
    return int(rows[0][0]) if rows else 0


async def _log(turn: Turn, hit: _Hit) -> None:
    commit = commit_of(turn)
    commit.emit(BreakpointLogged(hit.of.id, f"{hit.of.log} ({hit.text})"))
    await commit.run()


def _of(turn: Turn, *kinds: BreakpointKind) -> list[BreakpointFacts]:
    return [each for each in turn.breakpoints if each.kind in kinds]


def _asked(turn: Turn, text: str, *where: str) -> list[Reason]:
    """The reason that a person gave when the run was let go on."""
    return [Reason(text)] if turn.stop_at in where else []


# --- before the model ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class NextRequest:
    """The request that a step is about to send, and what the step before it in the thread sent."""

    turn: Turn
    connection: Connection
    window: ContextWindow
    _cut: list[CutSegment] | None = None
    _before: tuple[Step | None, list[SegmentView]] | None = field(default=None)

    async def cut(self) -> list[CutSegment]:
        """Its segments, byte for byte as they would be sent; [] where the provider refuses to write such a request."""
        if self._cut is None:
            self._cut = []
            try:
                async with aclosing(self.connection.provider.stream(self.window.request)) as items:
                    sent = await anext(items)  # comes before anything goes out
            except ModelError:
                return []
            if isinstance(sent, Sent):
                self._cut = cut(self.turn.agent.id, sent.body, sent.layout, self.window.plan)
        return self._cut

    async def segments(self) -> list[SegmentView]:
        return [_view(segment) for segment in await self.cut()]

    async def before(self) -> tuple[Step | None, list[SegmentView]]:
        """The last step of the thread whose request is recorded, and its segments."""
        if self._before is None:
            self._before = await sync_to_async(_step_before)(self.turn)
        return self._before


def _view(segment: CutSegment) -> SegmentView:
    piece = segment.piece
    return SegmentView(segment.id, piece.kind, piece.source_id, piece.label, piece.tokens, segment.text.encode())


def _step_before(turn: Turn) -> tuple[Step | None, list[SegmentView]]:
    steps = Step.objects.filter(
        agent=turn.agent.id, conversation=turn.conversation_id, kind=StepKind.AGENT, request_digest__isnull=False
    )
    step = steps.exclude(id=turn.step_id).order_by("-number").first()
    return step, segments_of(step) if step else []


_AT_REQUEST = (
    BreakpointKind.MODEL,
    BreakpointKind.CONTEXT,
    BreakpointKind.TEXT,
    BreakpointKind.CACHE,
    BreakpointKind.BLOCK_CHANGED,
    BreakpointKind.EXPRESSION,
)


async def before_model(request: NextRequest) -> list[Reason]:
    """Why the run stops before its request goes out."""
    turn = request.turn
    asked = _asked(turn, "the step that you asked for", NEXT_STEP, ANYWHERE, str(turn.step_number))
    wanted = _of(turn, *_AT_REQUEST)
    if not wanted:
        return asked
    step, old = await request.before()
    new = await request.segments()

    def scope() -> Mapping[str, Any]:
        return _scope(turn, request.window.tokens, new)

    hits = [
        _Hit(each, text, scope, label=each.target)
        for each in wanted
        if (text := _at_request(each, request.window, turn, step, old, new))
    ]
    return asked + await _reasons(turn, hits)


def _at_request(
    each: BreakpointFacts,
    window: ContextWindow,
    turn: Turn,
    step: Step | None,
    old: Sequence[SegmentView],
    new: Sequence[SegmentView],
) -> str:
    """What the breakpoint finds, in words; "" for nothing. What was so in the step before is no news."""
    match each.kind:
        case BreakpointKind.MODEL:
            return "the model is about to be called"
        case BreakpointKind.CONTEXT:
            limit = turn.agent.context_window * (each.threshold or 0) / 100
            full = step is not None and step.estimated_tokens > limit
            share = f"{window.tokens / turn.agent.context_window:.0%}"
            return "" if full or window.tokens <= limit else f"the context fills {share} of the window"
        case BreakpointKind.TEXT:
            return f"“{each.pattern}” is in the context" if _found(each, new) and not _found(each, old) else ""
        case BreakpointKind.CACHE:
            broken = first_break(old, new)
            return f"the prefix cache breaks at {name_of(broken)}" if broken else ""
        case BreakpointKind.BLOCK_CHANGED:
            changed = [label for label in _changed(old, new) if each.target in ("", label)]
            return f"block {', '.join(changed)} has changed since step {step.number}" if changed and step else ""
        case _:
            return f"{each.condition} is true"


def _found(each: BreakpointFacts, segments: Sequence[SegmentView]) -> bool:
    expression = parse(f"matches(context, {json.dumps(each.pattern)})")
    return bool(expression.value({"context": _text(segments)}))


def _text(segments: Sequence[SegmentView]) -> str:
    return "\n".join(segment.text for segment in segments if segment.kind != SegmentKind.ENVELOPE)


def _changed(old: Sequence[SegmentView], new: Sequence[SegmentView]) -> list[str]:
    """The labels of the blocks that stand otherwise in ``new``."""
    before, after = ({s.label: s.raw for s in each if s.kind == SegmentKind.CORE} for each in (old, new))
    return [label for label in before | after if before.get(label) != after.get(label)] if old else []


_CACHE_ORDER = {SegmentKind.TOOL: 0, SegmentKind.MESSAGE: 2, SegmentKind.TOOL_RETURN: 2, SegmentKind.SUMMARY: 2}


def first_break(old: Sequence[SegmentView], new: Sequence[SegmentView]) -> SegmentView | None:
    """The first segment of ``old`` with which ``new`` does not begin, in the order in which providers keep prefixes: tools, system prompt,
    messages. None while all that was sent can be read from the cache."""
    before, after = (
        sorted(
            (s for s in each if s.kind != SegmentKind.ENVELOPE), key=lambda s: _CACHE_ORDER.get(SegmentKind(s.kind), 1)
        )
        for each in (old, new)
    )
    pairs = zip_longest(before, after[: len(before)])
    return next((b for b, a in pairs if b is not None and (a is None or content(a) != content(b))), None)


def name_of(segment: SegmentView) -> str:
    """A segment in words: its kind, and what it shows."""
    return f"{segment.kind.replace('_', ' ')} {segment.label}".strip()


# --- before messages leave -------------------------------------------------------------------------------------------


async def before_eviction(turn: Turn, window: ContextWindow, leaving: Sequence[StoredMessage]) -> list[Reason]:
    """Why the run stops before ``leaving`` go out of the context."""
    wanted = _of(turn, BreakpointKind.EVICTION)
    if not wanted or not leaving:
        return []
    text = f"{len(leaving)} message{'s' if len(leaving) != 1 else ''} are about to leave the context"
    return await _reasons(turn, [_Hit(each, text, lambda: _scope(turn, window.tokens)) for each in wanted])


# --- after the model -------------------------------------------------------------------------------------------------


async def after_answer(turn: Turn, answer: str, planned: Sequence[PlannedCall]) -> list[Reason]:
    """Why the run stops between the model's answer and the calls in it."""
    asked = _asked(turn, "the step that you asked for", ANYWHERE)
    hits = [hit for each in turn.breakpoints for hit in await _at_answer(turn, each, answer, planned)]
    return asked + await _reasons(turn, hits)


async def _at_answer(turn: Turn, each: BreakpointFacts, answer: str, planned: Sequence[PlannedCall]) -> list[_Hit]:
    if each.kind == BreakpointKind.ANSWER:
        return [_Hit(each, "the model has answered", lambda: _scope_of_answer(turn, answer, planned))]
    looked_at = [plan for plan in planned if plan.result is None and each.target in ("", plan.call.name)]
    told = [(plan, await _of_call(turn, each, plan)) for plan in looked_at]
    return [_Hit(each, text, _scope_of_call(turn, plan, answer), plan.call.id) for plan, text in told if text]


async def _of_call(turn: Turn, each: BreakpointFacts, plan: PlannedCall) -> str:
    match each.kind:
        case BreakpointKind.TOOL:
            return f"{plan.call.name} is about to run"
        case BreakpointKind.APPROVAL if turn.waits_for_answer(plan.call.name):
            return f"{plan.call.name} needs an answer"
        case BreakpointKind.REPEAT:
            times = 1 + await _equal_calls(turn, plan)
            return (
                f"{plan.call.name} is called with the same arguments for the {times}. time"
                if times >= (each.threshold or 2)
                else ""
            )
    return ""


_EQUAL = """
SELECT count(*) FROM tool_call JOIN step ON step.id = step_id WHERE run_id = %s AND name = %s AND arguments = %s AND step.id <> %s
"""


async def _equal_calls(turn: Turn, plan: PlannedCall) -> int:
    asked = (turn.run_id, plan.call.name, pipeline.json(plan.arguments), turn.step_id)
    return int((await pipeline.run([Statement(_EQUAL, asked)]))[0][0][0])


# --- after the tools -------------------------------------------------------------------------------------------------


async def after_calls(turn: Turn, answer: str, planned: Sequence[PlannedCall]) -> list[Reason]:
    """Why the run stops before the results of its calls, and what they changed, are written."""
    hits = [hit for each in turn.breakpoints for plan in planned for hit in _of_result(turn, each, plan, answer)]
    asked = _asked(turn, "the step that you asked for", ANYWHERE) if planned else []
    return asked + await _reasons(turn, hits)


def _of_result(turn: Turn, each: BreakpointFacts, plan: PlannedCall, answer: str) -> Iterator[_Hit]:
    scope, name = _scope_of_call(turn, plan, answer), plan.call.name
    match each.kind:
        case BreakpointKind.RESULT if each.target in ("", name):
            yield _Hit(each, f"{name} has run", scope, plan.call.id)
        case BreakpointKind.ERROR if plan.failed and each.target in ("", name):
            yield _Hit(each, f"{name} failed", scope, plan.call.id)
        case BreakpointKind.BLOCK_WRITE:
            for edit in plan.edits:
                if "value" in edit.changes and each.target in ("", edit.label):
                    grown = len(edit.changes["value"]) - len(edit.before)
                    text = f"block {edit.label} is about to change, {grown:+,} characters"
                    yield _Hit(each, text, scope, plan.call.id, edit.label)


async def after_failure(turn: Turn, window: ContextWindow, error: ModelError) -> list[Reason]:
    """Why the run stops instead of failing with its model call."""
    scope = _scope(turn, window.tokens) | {"error": error.message}
    hits = [_Hit(each, error.message, lambda: scope) for each in _of(turn, BreakpointKind.ERROR) if not each.target]
    return await _reasons(turn, hits)


# --- what conditions are about ----------------------------------------------------------------------------------------


def _scope(turn: Turn, tokens: int | None = None, segments: Sequence[SegmentView] = ()) -> dict[str, Any]:
    """The names of ``record.expressions`` for the step under way. ``segments``: of its request, where that is known byte for byte."""
    messages = [{"role": message.role, "text": message.text} for message in turn.messages]
    said = "\n".join([turn.system_text, *(message["text"] for message in messages)])
    limit = turn.agent.context_window
    return {
        "block": {label: block.value for label, block in turn.blocks.items()},
        "context": _text(segments) if segments else said,
        "system": turn.system_text,
        "messages": messages,
        "tokens": {**_sums(segments), "total": tokens, "limit": limit, "share": tokens and tokens / limit},
        "cost": turn.spent.cost_usd,
        "step": {"number": turn.step_number, "model": turn.model, "kind": "agent", "status": "pending"},
        "tools": turn.calls_made,
    }


_SUMMED = {
    SegmentKind.CORE: "core",
    SegmentKind.TOOL: "tools",
    SegmentKind.MESSAGE: "messages",
    SegmentKind.TOOL_RETURN: "messages",
    SegmentKind.SUMMARY: "summary",
}


def _sums(segments: Sequence[SegmentView]) -> Counter[str]:
    """Estimated tokens by what they show."""
    sums: Counter[str] = Counter()
    for segment in segments:
        sums[_SUMMED.get(SegmentKind(segment.kind), "system")] += segment.tokens
    return sums


def _scope_of_answer(turn: Turn, answer: str, planned: Sequence[PlannedCall]) -> dict[str, Any]:
    tools = [*turn.calls_made, *(plan.call.name for plan in planned)]
    return _scope(turn) | {"answer": answer, "tools": tools}


def _scope_of_call(turn: Turn, plan: PlannedCall, answer: str) -> Callable[[], Mapping[str, Any]]:
    result = plan.result.text if plan.result else None
    of_call = {
        "tool": plan.call.name,
        "arguments": plan.arguments,
        "result": result,
        "error": result if plan.failed else None,
    }
    return lambda: _scope_of_answer(turn, answer, [plan]) | of_call
