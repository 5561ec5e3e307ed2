"""How a run ended, in words."""

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from agents_core.models import Run

_CODES: Mapping[str, str] = {
    "budget_exceeded": gettext_noop("a budget is used up"),
    "loop_detected": gettext_noop("it went round in circles"),
    "nothing_to_compact": gettext_noop("nothing to compact"),
}
_REASONS: Mapping[str, str] = {
    "end_turn": "",
    "tool_rule": gettext_noop("a tool rule ended it"),
    "max_steps": gettext_noop("took the most steps allowed"),
    "requires_approval": gettext_noop("asked a person"),
    "cancelled": "",
    "error": gettext_noop("an error"),
    "llm_api_error": gettext_noop("the provider refused"),
    "invalid_llm_response": gettext_noop("the answer made no sense"),
    "invalid_tool_call": gettext_noop("a tool call made no sense"),
    "no_tool_call": gettext_noop("no tool was called"),
    "max_tokens_exceeded": gettext_noop("too many tokens"),
    "insufficient_credits": gettext_noop("too much money"),
    "context_window_overflow_in_system_prompt": gettext_noop("the instructions do not fit the window"),
}


def why(run: Run) -> str:
    """Why ``run`` ended: what its error is, else what stopped it; "" before it has, and for an end as every run's."""
    code = (run.error or {}).get("code") or ""
    reason = run.stop_reason or ""
    words = _CODES.get(code) or _REASONS.get(reason)
    return _(words) if words else reason.replace("_", " ") if words is None else ""
