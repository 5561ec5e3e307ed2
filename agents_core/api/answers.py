"""How a run's end is told: as one JSON answer, or as the last frames of a stream (contract: wire, sections 6 and 7)."""

from typing import Any

from django.http import HttpResponse

from agents_core.actions.messages import RunOutcome
from agents_core.api.errors import model_refusal, refusal
from agents_core.api.reply import reply
from agents_core.api.wire import Shown, View, shown_messages
from agents_core.llm import errors as model_errors
from agents_core.runtime.approvals import PendingApproval

_STATUS = {
    kind.code: kind.http_status
    for kind in vars(model_errors).values()
    if isinstance(kind, type) and issubclass(kind, model_errors.ModelError)
}
# Two classes share the code of their parent; the parent's status counts.
_STATUS |= {kind.code: kind.http_status for kind in (model_errors.ModelError, model_errors.ModelBadRequest)}

_STREAM_ERRORS = frozenset(
    {"llm_timeout", "llm_rate_limit", "llm_authentication", "llm_empty_response", "llm_error"}
    | {"context_window_overflow_in_system_prompt"}
)


def answer(outcome: RunOutcome, view: View) -> HttpResponse:
    """The answer to a message whose run has ended. A run that the model failed answers with the model's error."""
    error = outcome.error or {}
    if outcome.status == "failed" and error.get("code") in _STATUS:
        return model_refusal(error["code"], error["message"], _STATUS[error["code"]])
    if error.get("code") == PendingApproval.code:
        raise PendingApproval(error.get("pending_request_id"))
    if outcome.status == "failed" and not outcome.messages:
        return refusal(error.get("message") or "The run failed.", error.get("status") or 500)
    return reply(response(outcome, view))


def response(outcome: RunOutcome, view: View) -> dict[str, Any]:
    """What a run said, why it ended and what it used."""
    return answer_body(shown_messages(outcome.messages, view), outcome)


def answer_body(messages: list[Shown], outcome: RunOutcome) -> dict[str, Any]:
    """The body of an answer that shows ``messages`` and ends as ``outcome``."""
    return {
        "messages": messages,
        "stop_reason": stop_reason(outcome),
        "usage": usage_statistics(outcome),
        "logprobs": None,
        "turns": None,
    }


def stop_reason(outcome: RunOutcome) -> dict[str, str]:
    return {"message_type": "stop_reason", "stop_reason": outcome.stop_reason}


def usage_statistics(outcome: RunOutcome) -> dict[str, Any]:
    used = outcome.usage
    return {
        "message_type": "usage_statistics",
        "completion_tokens": used["completion_tokens"],
        "prompt_tokens": used["prompt_tokens"],
        "total_tokens": used["prompt_tokens"] + used["completion_tokens"],
        "step_count": outcome.steps,
        "run_ids": outcome.sleeptime_run_ids or None,
        "cached_input_tokens": used["cached_input_tokens"],
        "cache_write_tokens": used["cache_write_tokens"],
        "reasoning_tokens": used["reasoning_tokens"],
        "context_tokens": None,
    }


def error_message(outcome: RunOutcome, run_id: str) -> dict[str, Any] | None:
    """The frame that tells of a failed run; None when it did not fail or has something to show for it."""
    if outcome.status != "failed" or outcome.error is None:
        return None
    code = outcome.error.get("code", "")
    return {
        "message_type": "error_message",
        "run_id": run_id,
        "error_type": code if code in _STREAM_ERRORS else "llm_error" if code in _STATUS else "internal_error",
        "message": outcome.error.get("message") or "The run failed.",
        "detail": code,
        "seq_id": None,
    }
