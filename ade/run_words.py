"""How a run ended, in words."""

from collections.abc import Mapping

from agents_core.models import Run

_CODES: Mapping[str, str] = {
    "budget_exceeded": "a budget is used up",
    "loop_detected": "it went round in circles",
    "nothing_to_compact": "nothing to compact",
}
_REASONS: Mapping[str, str] = {
    "end_turn": "",
    "tool_rule": "a tool rule ended it",
    "max_steps": "took the most steps allowed",
    "requires_approval": "asked a person",
    "cancelled": "",
    "error": "an error",
    "llm_api_error": "the provider refused",
    "invalid_llm_response": "the answer made no sense",
    "invalid_tool_call": "a tool call made no sense",
    "no_tool_call": "no tool was called",
    "max_tokens_exceeded": "too many tokens",
    "insufficient_credits": "too much money",
    "context_window_overflow_in_system_prompt": "the instructions do not fit the window",
}


def why(run: Run) -> str:
    """Why ``run`` ended: what its error is, else what stopped it; "" before it has, and for an end as every run's."""
    code = (run.error or {}).get("code") or ""
    reason = run.stop_reason or ""
    return _CODES.get(code) or _REASONS.get(reason, reason.replace("_", " "))
