"""What the operators mean. A missing value (None) makes arithmetic None and every comparison false."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from agents_core.record.expressions.errors import Impossible
from agents_core.record.expressions.evaluation import Evaluation

_LARGEST = 1e300


def kind_of(value: Any) -> str:
    """What a value is, for people."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    return "a list" if isinstance(value, list) else "an object"


def is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def in_range(number: Any) -> Any:
    """Raises ``Impossible`` for a number beyond any use, and for what is none."""
    if not -_LARGEST < number < _LARGEST:
        raise Impossible("The number is too large.")
    return number


def add(evaluation: Evaluation, left: Any, right: Any) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        evaluation.made(len(left) + len(right))
        return left + right
    if isinstance(left, list) and isinstance(right, list):
        return left + right
    return arithmetic("+", operator.add)(evaluation, left, right)


def arithmetic(sign: str, calculate: Callable[[Any, Any], Any]) -> Callable[[Evaluation, Any, Any], Any]:
    def calculated(evaluation: Evaluation, left: Any, right: Any) -> Any:
        if left is None or right is None:
            return None
        if not (is_number(left) and is_number(right)):
            raise Impossible(f"`{sign}` takes two numbers, not {kind_of(left)} and {kind_of(right)}.")
        return in_range(calculate(left, right))

    return calculated


def negative(value: Any) -> Any:
    return _signed("-", value, operator.neg)


def positive(value: Any) -> Any:
    return _signed("+", value, operator.pos)


def _signed(sign: str, value: Any, calculate: Callable[[Any], Any]) -> Any:
    if value is None:
        return None
    if not is_number(value):
        raise Impossible(f"`{sign}` takes a number, not {kind_of(value)}.")
    return calculate(value)


def equal(left: Any, right: Any) -> bool:
    return left is not None and right is not None and bool(left == right)


def unequal(left: Any, right: Any) -> bool:
    return left is not None and right is not None and bool(left != right)


def ordered(sign: str, compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compared(left: Any, right: Any) -> bool:
        if left is None or right is None:
            return False
        if (is_number(left) and is_number(right)) or (isinstance(left, str) and isinstance(right, str)):
            return compare(left, right)
        raise Impossible(f"`{sign}` compares two numbers or two texts, not {kind_of(left)} and {kind_of(right)}.")

    return compared


def contained(part: Any, whole: Any) -> bool:
    return part is not None and whole is not None and _contains(whole, part)


def not_contained(part: Any, whole: Any) -> bool:
    return part is not None and whole is not None and not _contains(whole, part)


def _contains(whole: Any, part: Any) -> bool:
    if isinstance(whole, str) and not isinstance(part, str):
        raise Impossible(f"A text contains texts, not {kind_of(part)}: write str(…) around it.")
    if isinstance(whole, Mapping):
        return isinstance(part, str) and part in whole
    if not isinstance(whole, str | list):
        raise Impossible(f"`in` looks into a text, a list or an object, not into {kind_of(whole)}.")
    return part in whole


def field(value: Any, name: str) -> Any:
    """``value.name``: what an object has under that name, None if nothing."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise Impossible(f"{kind_of(value).capitalize()} has no `.{name}`.")
    return value.get(name)


def item(value: Any, index: Any) -> Any:
    """``value[index]``: None where there is nothing."""
    if value is None or index is None:
        return None
    if isinstance(value, Mapping):
        if not isinstance(index, str):
            raise Impossible(f"An object is asked for a name in quotes, not for {kind_of(index)}.")
        return value.get(index)
    if not isinstance(value, str | list):
        raise Impossible(f"`[…]` takes a part of a text, a list or an object, not of {kind_of(value)}.")
    if not isinstance(index, int):
        raise Impossible(f"`[…]` takes a whole number here, not {kind_of(index)}.")
    return value[index] if -len(value) <= index < len(value) else None


def part_of(evaluation: Evaluation, value: Any, start: Any, stop: Any) -> Any:
    """``value[start:stop]``; None for an end stands for that of the value."""
    if value is None:
        return None
    if not isinstance(value, str | list):
        raise Impossible(f"`[…:…]` takes a part of a text or a list, not of {kind_of(value)}.")
    for end in (start, stop):
        if not (end is None or isinstance(end, int)):
            raise Impossible(f"`[…:…]` takes whole numbers, not {kind_of(end)}.")
    part = value[start:stop]
    evaluation.made(len(part))
    return part
