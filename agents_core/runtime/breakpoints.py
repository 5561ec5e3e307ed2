"""Which breakpoints stop a run where it stands now. An agent without any pays for none of it."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async

from agents_core.events.types import BreakpointLogged
from agents_core.llm.errors import ModelError
from agents_core.models import BreakpointKind, SegmentKind, Step, StepKind, pipeline
from agents_core.models.pipeline import Statement
from agents_core.record.expressions import ExpressionRefused, parse
from agents_core.record.lines import past
from agents_core.record.prefix import common_prefix
from agents_core.record.recorded import RecordedSteps
from agents_core.record.scope import SeenPart, request_scope, seen_part
from agents_core.record.segments import CutSegment, cut
from agents_core.record.steps import SegmentView, segments_of
from agents_core.runtime.calls import PlannedCall
from agents_core.runtime.context import ContextWindow
from agents_core.runtime.pausing import Reason
from agents_core.runtime.persist import commit_of
from agents_core.runtime.preview import sent_of, view_of
from agents_core.runtime.providers import Connection
from agents_core.runtime.state import ANYWHERE, NEXT_STEP, BreakpointFacts, StoredMessage, Turn

Scope = Callable[[Collection[str]], Mapping[str, Any]]
"""Gives what the names mean that a condition needs."""


@dataclass(frozen=True, slots=True)
class _Hit:
    """What a breakpoint looks for is there, whatever its condition says. ``scope``: the names of the condition."""

    of: BreakpointFacts
    text: str
    scope: Scope
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
        condition = parse(hit.of.condition)
        return bool(condition.value(hit.scope(condition.names)))
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

    async def cut(self) -> list[CutSegment]:
        """Its segments, byte for byte as they would be sent; [] where the provider refuses to write such a request."""
        if self._cut is None:
            try:
                sent = await sent_of(self.connection, self.window.request)
                self._cut = cut(self.turn.agent.id, sent.body, sent.layout, self.window.plan)
            except ModelError:
                self._cut = []
        return self._cut


@dataclass(frozen=True, slots=True)
class _Compared:
    """The segments of a request, and of the last that was recorded in its thread before, with that step."""

    request: NextRequest
    new: list[SegmentView]
    before: Step | None
    old: list[SegmentView]

    def scope(self, names: Collection[str]) -> dict[str, Any]:
        return _scope(self.request.turn) | _of_request(self.request, self.new, names)


async def _compared(request: NextRequest) -> _Compared:
    new = [view_of(segment) for segment in await request.cut()]
    return _Compared(request, new, *await sync_to_async(_step_before)(request.turn))


def _step_before(turn: Turn) -> tuple[Step | None, list[SegmentView]]:
    steps = Step.objects.filter(
        agent=turn.agent.id, conversation=turn.conversation_id, kind=StepKind.AGENT, request_digest__isnull=False
    )
    step = steps.filter(past(turn.agent.id)).exclude(id=turn.step_id).order_by("-number").first()
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
    compared = await _compared(request)
    hits = [
        _Hit(each, text, compared.scope, label=each.target)
        for each in wanted
        if (text := _at_request(each, compared)) and not await _was_true(each, compared)
    ]
    return asked + await _reasons(turn, hits)


def _at_request(each: BreakpointFacts, now: _Compared) -> str:
    """What the breakpoint finds, in words; "" for nothing. What was so in the step before is no news."""
    agent, tokens = now.request.turn.agent, now.request.window.tokens
    match each.kind:
        case BreakpointKind.MODEL:
            return "the model is about to be called"
        case BreakpointKind.CONTEXT:
            limit = agent.context_window * (each.threshold or 0) / 100
            is_news = tokens > limit and (now.before is None or now.before.estimated_tokens <= limit)
            return f"the context fills {tokens / agent.context_window:.0%} of the window" if is_news else ""
        case BreakpointKind.TEXT:
            is_news = _found(each, now.new) and not _found(each, now.old)
            return f"“{each.pattern}” is in the context" if is_news else ""
        case BreakpointKind.CACHE:
            broken = common_prefix(now.old, now.new).broken_by if now.old else None
            return f"the prefix cache breaks at {name_of(broken)}" if broken else ""
        case BreakpointKind.BLOCK_CHANGED:
            changed = [label for label in _changed(now.old, now.new) if each.target in ("", label)]
            return (
                f"block {', '.join(changed)} has changed since step {now.before.number}"
                if changed and now.before
                else ""
            )
        case _:
            return f"{each.condition} is true"


async def _was_true(each: BreakpointFacts, now: _Compared) -> bool:
    """Whether an expression was true in the step before already."""
    if each.kind != BreakpointKind.EXPRESSION or now.before is None:
        return False
    return await sync_to_async(_true_at)(each.condition, now.before)


def _true_at(condition: str, step: Step) -> bool:
    expression = parse(condition)
    steps = RecordedSteps(step.agent_id, expression.names, step.conversation_id).scopes(step.number - 1)
    scope = next((each.scope for each in steps if each.number == step.number), {})
    try:
        return bool(expression.value(scope))
    except ExpressionRefused:
        return False


def _found(each: BreakpointFacts, segments: Sequence[SegmentView]) -> bool:
    expression = parse(f"matches(context, {json.dumps(each.pattern)})")
    return bool(expression.value(request_scope(_seen(segments), expression.names, 0, None)))


def _changed(old: Sequence[SegmentView], new: Sequence[SegmentView]) -> list[str]:
    """The labels of the blocks that stand otherwise in ``new``."""
    before, after = ({s.label: s.raw for s in each if s.kind == SegmentKind.CORE} for each in (old, new))
    return [label for label in before | after if before.get(label) != after.get(label)] if old else []


def name_of(segment: SegmentView) -> str:
    """A segment in words: its kind, and what it shows."""
    return f"{segment.kind.replace('_', ' ')} {segment.label}".strip()


# --- before messages leave -------------------------------------------------------------------------------------------


async def before_eviction(turn: Turn, leaving: Sequence[StoredMessage]) -> list[Reason]:
    """Why the run stops before ``leaving`` go out of the context."""
    wanted = _of(turn, BreakpointKind.EVICTION)
    if not wanted or not leaving:
        return []
    text = f"{len(leaving)} message{'s' if len(leaving) != 1 else ''} are about to leave the context"
    return await _reasons(turn, [_Hit(each, text, lambda _: _scope(turn)) for each in wanted])


# --- after the model -------------------------------------------------------------------------------------------------


async def after_answer(turn: Turn, answer: str, planned: Sequence[PlannedCall]) -> list[Reason]:
    """Why the run stops between the model's answer and the calls in it."""
    asked = _asked(turn, "the step that you asked for", ANYWHERE)
    hits = [hit for each in turn.breakpoints for hit in await _at_answer(turn, each, answer, planned)]
    return asked + await _reasons(turn, hits)


async def _at_answer(turn: Turn, each: BreakpointFacts, answer: str, planned: Sequence[PlannedCall]) -> list[_Hit]:
    if each.kind == BreakpointKind.ANSWER:
        return [_Hit(each, "the model has answered", lambda _: _scope_of_answer(turn, answer, planned))]
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


async def after_failure(turn: Turn, error: ModelError) -> list[Reason]:
    """Why the run stops instead of failing with its model call."""
    scope = _scope(turn) | {"error": error.message}
    hits = [_Hit(each, error.message, lambda _: scope) for each in _of(turn, BreakpointKind.ERROR) if not each.target]
    return await _reasons(turn, hits)


# --- what conditions are about ----------------------------------------------------------------------------------------


def _scope(turn: Turn) -> dict[str, Any]:
    """The names of ``record.expressions`` for the step under way, from what the turn knows of it."""
    messages = [{"role": message.role, "text": message.text} for message in turn.messages]
    return {
        "block": {label: block.value for label, block in turn.blocks.items()},
        "context": "\n".join([turn.system_text, *(message["text"] for message in messages)]),
        "system": turn.system_text,
        "messages": messages,
        "tokens": {"limit": turn.agent.context_window},
        "cost": turn.spent.cost_usd,
        "step": {"number": turn.step_number, "model": turn.model, "kind": "agent", "status": "pending"},
        "tools": turn.calls_made,
    }


def _of_request(request: NextRequest, segments: Sequence[SegmentView], names: Collection[str]) -> dict[str, Any]:
    """What of the names the request itself answers, byte for byte as it would be sent."""
    return request_scope(_seen(segments), names, request.turn.agent.context_window, None) if segments else {}


def _seen(segments: Sequence[SegmentView]) -> list[SeenPart]:
    return [seen_part(each.kind, each.label, each.tokens, each.raw) for each in segments]


def _scope_of_answer(turn: Turn, answer: str, planned: Sequence[PlannedCall]) -> dict[str, Any]:
    tools = [*turn.calls_made, *(plan.call.name for plan in planned)]
    return _scope(turn) | {"answer": answer, "tools": tools}


def _scope_of_call(turn: Turn, plan: PlannedCall, answer: str) -> Scope:
    result = plan.result.text if plan.result else None
    of_call = {"tool": plan.call.name, "arguments": plan.arguments, "result": result}
    error = result if plan.failed else None
    return lambda _: _scope_of_answer(turn, answer, [plan]) | of_call | {"error": error}
