"""A run as spans: the run, its steps, the model call and the tool calls of each."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import Any

from agents_core.models import Run, Step, ToolCall

Span = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def spans(run: Run, limit: int) -> list[Span]:
    """At most ``limit`` spans, each parent before its children; ids in the form of OpenTelemetry."""
    return list(islice(_spans(run), max(limit, 0)))


def _spans(run: Run) -> Iterator[Span]:
    trace_id = sha256(run.id.encode()).hexdigest()[:32]
    facts = {"agent_id": run.agent_id, "run_id": run.id, "stop_reason": run.stop_reason}
    root = _span(trace_id, run.id, None, "run", run.created_at, run.completed_at, run.status == "failed", facts)
    yield root
    for step in run.steps.order_by("number").prefetch_related("calls"):
        yield from _of_step(trace_id, root["span_id"], step)


def _ns(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def _of_step(trace_id: str, parent: str, step: Step) -> Iterator[Span]:
    failed = step.status == "failed"
    facts = {"step_id": step.id, "number": step.number, "kind": step.kind, "status": step.status}
    own = _span(trace_id, step.id, parent, "step", step.started_at, step.finished_at, failed, facts)
    yield own
    if step.model_ms is not None:
        until = step.started_at + timedelta(milliseconds=step.model_ms)
        yield _span(
            trace_id, f"{step.id} model", own["span_id"], "model", step.started_at, until, failed, _model_facts(step)
        )
    for call in step.calls.all():
        yield _of_call(trace_id, own["span_id"], step, call)


def _model_facts(step: Step) -> dict[str, Any]:
    names = ("handle", "prompt_tokens", "completion_tokens", "cached_input_tokens", "reasoning_tokens", "request_id")
    return {name: getattr(step, name) for name in names} | {"first_token_ms": step.first_token_ms}


def _of_call(trace_id: str, parent: str, step: Step, call: ToolCall) -> Span:
    start = step.started_at + timedelta(milliseconds=call.started_ms)
    end = None if call.duration_ms is None else start + timedelta(milliseconds=call.duration_ms)
    facts = {"tool": call.name, "tool_call_id": call.call_id, "status": call.status}
    return _span(
        trace_id, f"{step.id} {call.call_id}", parent, f"tool {call.name}", start, end, call.status != "ok", facts
    )


def _span(
    trace_id: str,
    source: str,
    parent: str | None,
    name: str,
    start: datetime,
    end: datetime | None,
    failed: bool,
    attributes: dict[str, Any],
) -> Span:
    start_ns = _ns(start)
    end_ns = _ns(end) if end else None
    return {
        "trace_id": trace_id,
        "span_id": sha256(source.encode()).hexdigest()[:16],
        "parent_span_id": parent,
        "name": name,
        "start_time_ns": start_ns,
        "end_time_ns": end_ns,
        "duration_ns": end_ns - start_ns if end_ns is not None else None,
        "status_code": "ERROR" if failed else "OK",
        "attributes": attributes,
    }
