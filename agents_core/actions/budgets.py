"""Budgets as a person or a client gives them, checked."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from agents_core.errors import InvalidInput
from agents_core.runtime.budgets import BUDGETS, OF_REQUEST

__all__ = ["BUDGETS", "OF_REQUEST", "checked_budgets"]


def checked_budgets(given: Mapping[str, Any], allowed: Sequence[str] = BUDGETS) -> dict[str, float]:
    """``given`` without what is None. Raises ``InvalidInput`` for a budget that is not among ``allowed`` or no positive number."""
    if unknown := sorted(set(given) - set(allowed)):
        raise InvalidInput(f"There is no budget {', '.join(unknown)} here. Known: {', '.join(allowed)}.")
    return {name: _checked(name, value) for name, value in given.items() if value is not None}


def _checked(name: str, value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    if name == "max_repeated_calls":
        if not number or value != int(value) or value < 0 or value == 1:
            raise InvalidInput(f"{name} is a number of calls from 2 on, or 0 for no limit; it was {value!r}.")
        return int(value)
    if not number or value <= 0:
        raise InvalidInput(f"{name} has to be a number above 0, or null for no budget; it was {value!r}.")
    return float(value) if name.endswith(("_s", "_usd")) else int(value)
