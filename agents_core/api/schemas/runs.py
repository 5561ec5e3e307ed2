"""Runs and steps on the wire (contract: wire, section 5)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from agents_core.api.paging import Cursor, Order
from agents_core.api.schemas.archives import ORGANIZATION
from agents_core.api.schemas.common import Answer, Body
from agents_core.models import Run, RunStatus, Step

SHOWN_AS = (
    "use_assistant_message",
    "assistant_message_tool_name",
    "assistant_message_tool_kwarg",
    "include_return_message_types",
)


class RunResponse(Answer):
    id: str
    agent_id: str
    status: str
    stop_reason: str | None
    background: bool
    conversation_id: str | None
    base_template_id: str | None = None
    created_at: datetime
    completed_at: datetime | None
    metadata: dict[str, Any]
    request_config: dict[str, Any] | None
    callback_url: str | None
    callback_sent_at: datetime | None
    callback_status_code: int | None
    callback_error: str | None
    ttft_ns: int | None
    total_duration_ns: int | None

    @classmethod
    def of(cls, run: Run) -> "RunResponse":
        duration = run.completed_at - run.created_at if run.completed_at else None
        stored = {name: getattr(run, name) for name in _STORED_RUN}
        return cls.model_construct(
            **stored | {"status": _V1_STATUS.get(run.status, run.status)},
            metadata=run.metadata | ({"error": run.error} if run.error else {}),
            request_config={name: run.request.get(name) for name in SHOWN_AS},
            ttft_ns=_ns(run.first_token_ms),
            total_duration_ns=_ns(duration.total_seconds() * 1000 if duration else None),
        )


# V1 clients know no run that stands; to them it goes on.
_V1_STATUS: Mapping[str, str] = {RunStatus.PAUSED: RunStatus.RUNNING}
_STORED_RUN = (
    "id",
    "agent_id",
    "status",
    "stop_reason",
    "background",
    "conversation_id",
    "created_at",
    "completed_at",
    "callback_url",
    "callback_sent_at",
    "callback_status_code",
    "callback_error",
)


class StepResponse(Answer):
    id: str
    origin: str | None = None
    organization_id: str = ORGANIZATION
    provider_id: str | None = None
    run_id: str
    agent_id: str
    provider_name: str
    provider_category: str = "base"
    model: str
    model_handle: str
    model_endpoint: str | None
    context_window_limit: int
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cached_input_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    completion_tokens_details: dict[str, Any] | None
    prompt_tokens_details: dict[str, Any] | None
    stop_reason: str | None
    tags: list[str]
    tid: str | None = None
    trace_id: str | None = None
    request_id: str | None
    messages: list[Any] = Field(default_factory=list)
    feedback: str | None
    project_id: str | None = None
    error_type: str | None
    error_data: dict[str, Any] | None
    status: str

    @classmethod
    def of(cls, step: Step) -> "StepResponse":
        stored = {name: getattr(step, name) for name in _STORED_STEP}
        return cls.model_construct(
            **stored,
            provider_name=step.provider,
            model_handle=step.handle,
            model_endpoint=step.url or None,
            context_window_limit=step.context_window,
            total_tokens=step.prompt_tokens + step.completion_tokens,
            completion_tokens_details={"reasoning_tokens": step.reasoning_tokens},
            prompt_tokens_details={
                "cached_tokens": step.cached_input_tokens,
                "cache_read_tokens": step.cached_input_tokens,
                "cache_creation_tokens": step.cache_write_tokens,
            },
            error_type=(step.error or {}).get("code"),
            error_data=step.error,
            messages=[],
        )


_STORED_STEP = (
    "id",
    "run_id",
    "agent_id",
    "model",
    "prompt_tokens",
    "completion_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "stop_reason",
    "tags",
    "request_id",
    "feedback",
    "status",
)


class StepMetrics(Answer):
    id: str
    provider_id: str | None = None
    run_id: str
    agent_id: str
    step_start_ns: int
    llm_request_start_ns: int | None
    llm_request_ns: int | None
    tool_execution_ns: int | None
    step_ns: int | None
    base_template_id: str | None = None
    template_id: str | None = None
    project_id: str | None = None

    @classmethod
    def of(cls, step: Step) -> "StepMetrics":
        start = round(step.started_at.timestamp() * 1e9)
        spent = step.finished_at - step.started_at if step.finished_at else None
        return cls(
            id=step.id,
            run_id=step.run_id,
            agent_id=step.agent_id,
            step_start_ns=start,
            llm_request_start_ns=start if step.model_ms is not None else None,
            llm_request_ns=_ns(step.model_ms),
            tool_execution_ns=_ns(step.tools_ms),
            step_ns=_ns(spent.total_seconds() * 1000 if spent else None),
        )


def _ns(milliseconds: float | None) -> int | None:
    return None if milliseconds is None else round(milliseconds * 1e6)


def usage(totals: Mapping[str, int]) -> dict[str, Any]:
    """The usage of a run as OpenAI writes it."""
    return {
        "prompt_tokens": totals["prompt_tokens"],
        "completion_tokens": totals["completion_tokens"],
        "total_tokens": totals["prompt_tokens"] + totals["completion_tokens"],
        "prompt_tokens_details": {
            "cached_tokens": totals["cached_input_tokens"],
            "cache_read_tokens": totals["cached_input_tokens"],
            "cache_creation_tokens": totals["cache_write_tokens"],
        },
        "completion_tokens_details": {"reasoning_tokens": totals["reasoning_tokens"]},
    }


class RunFilter(Cursor):
    limit: int = Field(100, ge=1, le=1000)
    agent_id: str | None = None
    agent_ids: list[str] | None = None
    statuses: list[Literal["created", "running", "completed", "failed", "cancelled"]] | None = None
    active: bool = False
    background: bool | None = None
    stop_reason: str | None = None
    conversation_id: str | None = None
    ascending: bool | None = None


class RunMessageCursor(Cursor):
    limit: int = Field(100, ge=1, le=1000)
    order: Order = "asc"


class StepsOfRunCursor(Cursor):
    limit: int = Field(100, ge=1, le=1000)


class StepFilter(Cursor):
    agent_id: str | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    model: str | None = None
    feedback: Literal["positive", "negative"] | None = None
    has_feedback: bool | None = None
    tags: list[str] | None = None


class Feedback(Body):
    feedback: Literal["positive", "negative"] | None = None
    tags: list[str] | None = None
