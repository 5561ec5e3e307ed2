"""What a run may use: time, tokens and money, by the agent's settings and by what the request asked for; the smaller counts.

Looked at between two steps, from what the turn knows; time also ends a model call or a tool that is under way. Only a budget for the
day asks the database.
"""

from time import monotonic
from typing import Any

from agents_core.errors import AgentsError
from agents_core.models import pipeline
from agents_core.models.pipeline import Statement
from agents_core.runtime.state import Turn

BUDGETS = (
    "max_run_s",
    "max_run_tokens",
    "max_run_cost_usd",
    "max_day_tokens",
    "max_day_cost_usd",
    "max_repeated_calls",
)
"""Their names, in an agent's ``budgets`` and in a request's. A day is the last 24 hours."""

OF_REQUEST = tuple(name for name in BUDGETS if "_day_" not in name)

_STOP_REASONS = {
    "max_run_s": "error",
    "max_run_tokens": "max_tokens_exceeded",
    "max_run_cost_usd": "insufficient_credits",
}
_STOP_REASONS |= {"max_day_tokens": "max_tokens_exceeded", "max_day_cost_usd": "insufficient_credits"}
_SPENT_TODAY = """
SELECT coalesce(sum(prompt_tokens + completion_tokens), 0)::bigint, coalesce(sum(cost_usd), 0)::float8
FROM step WHERE agent_id = %s AND started_at > now() - interval '24 hours'
"""
_SPENT_IN_RUN = """
SELECT coalesce(sum(prompt_tokens + completion_tokens), 0)::bigint, coalesce(sum(cost_usd), 0)::float8 FROM step WHERE run_id = %s
"""


class BudgetExceeded(AgentsError):
    """The run has used what it may use. ``stop_reason`` is the nearest that V1 clients know."""

    code = "budget_exceeded"
    http_status = 402

    def __init__(self, name: str, limit: float, used: str) -> None:
        whose = "agent" if "_day_" in name else "run"
        advice = f"raise {name} in the budgets of the agent" + ("." if whose == "agent" else " or of the request.")
        super().__init__(f"The {whose} has used {used} of {_amount(name, limit)}: {advice}", budget=name)
        self.stop_reason = _STOP_REASONS[name]


def _amount(name: str, value: float) -> str:
    if name.endswith("_usd"):
        return f"{value:.6g} USD"
    return f"{value:,.6g} s" if name.endswith("_s") else f"{value:,.0f} tokens"


def budget(turn: Turn, name: str) -> float | None:
    """The smaller of the agent's budget and the request's; None when neither sets it."""
    given = [
        each[name] for each in (turn.agent.budgets, turn.request.get("budgets") or {}) if each.get(name) is not None
    ]
    return min(given, default=None)


def remaining_s(turn: Turn) -> float | None:
    """Seconds left to the run; None without a budget of time."""
    limit = budget(turn, "max_run_s")
    return None if limit is None else max(0.0, turn.spent.since + limit - monotonic())


def time_is_up(turn: Turn) -> BudgetExceeded | None:
    limit = budget(turn, "max_run_s")
    if limit is None or monotonic() < turn.spent.since + limit:
        return None
    return BudgetExceeded("max_run_s", limit, _amount("max_run_s", round(monotonic() - turn.spent.since, 1)))


async def check_budgets(turn: Turn) -> None:
    """To be called before each step. Raises ``BudgetExceeded``."""
    if not (turn.agent.budgets or turn.request.get("budgets")):
        return
    if over := time_is_up(turn):
        raise over
    _check(turn, "max_run_tokens", turn.spent.tokens)
    _check(turn, "max_run_cost_usd", turn.spent.cost_usd)
    if turn.agent.budgets.keys() & {"max_day_tokens", "max_day_cost_usd"}:
        tokens, cost = (await pipeline.run([Statement(_SPENT_TODAY, (turn.agent.id,))]))[0][0]
        _check(turn, "max_day_tokens", tokens)
        _check(turn, "max_day_cost_usd", cost)


def _check(turn: Turn, name: str, used: float) -> None:
    limit = budget(turn, name)
    if limit is not None and used >= limit:
        raise BudgetExceeded(name, limit, _amount(name, used))


def spent_in_run(run_id: str) -> Statement:
    """The statement that gives the tokens and USD of a run's steps, for a worker that takes it over."""
    return Statement(_SPENT_IN_RUN, (run_id,))


def error_facts_of(error: BudgetExceeded) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, "status": error.http_status}
