"""The functions of the language. None of them sees a missing value: with one among its arguments, a call is None."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from agents_core.record.expressions.errors import Impossible
from agents_core.record.expressions.evaluation import Evaluation
from agents_core.record.expressions.operators import in_range, is_number, kind_of

LONGEST_PATTERN = 500
_BRACES = re.compile(r"\{[^{}]*\}")
MOST_REPEATS = 10_000
"""The product of all counts in a pattern: a compiled one holds its ``{1000}`` a thousand times."""


@dataclass(frozen=True, slots=True)
class Function:
    """Called with the evaluation and ``least`` to ``most`` arguments; ``form`` shows them. Raises ``Impossible``."""

    form: str
    call: Callable[..., Any]
    least: int = 1
    most: int = 1


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Impossible(f"This takes a text, not {kind_of(value)}.")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Impossible(f"This takes a list, not {kind_of(value)}.")
    return value


def _number(value: Any) -> Any:
    if not is_number(value):
        raise Impossible(f"This takes a number, not {kind_of(value)}.")
    return value


def _len(evaluation: Evaluation, value: Any) -> int:
    if not isinstance(value, str | list | Mapping):
        raise Impossible(f"This takes a text, a list or an object, not {kind_of(value)}.")
    return len(value)


def _lower(evaluation: Evaluation, value: Any) -> str:
    evaluation.made(len(_text(value)))
    return str(value.lower())


def _upper(evaluation: Evaluation, value: Any) -> str:
    evaluation.made(len(_text(value)))
    return str(value.upper())


def _words(evaluation: Evaluation, value: Any) -> list[str]:
    evaluation.made(len(_text(value)))
    return list(value.split())


def _lines(evaluation: Evaluation, value: Any) -> list[str]:
    evaluation.made(len(_text(value)))
    return list(value.splitlines())


def _count(evaluation: Evaluation, whole: Any, part: Any) -> int:
    if isinstance(whole, list):
        return whole.count(part)
    if not _text(part):
        raise Impossible("What is counted is a text of at least one character.")
    return _text(whole).count(part)


def _matches(evaluation: Evaluation, text: Any, pattern: Any) -> bool:
    compiled = compiled_pattern(_text(pattern))
    try:
        # ``concurrent`` lets others run meanwhile, ``timeout`` ends a pattern that would go on for ever.
        return compiled.search(_text(text), timeout=evaluation.left_s(), concurrent=True) is not None
    except TimeoutError:
        raise Impossible("The pattern takes too long over this text: use a simpler one.") from None


def compiled_pattern(pattern: str) -> Any:
    """Raises ``Impossible`` for what is no pattern."""
    import regex

    if len(pattern) > LONGEST_PATTERN:
        raise Impossible(f"A pattern has at most {LONGEST_PATTERN} characters.")
    if any(char < " " and char not in "\t\n\r" for char in pattern):
        raise Impossible('The pattern holds a control character: write it as r"…", then \\b is the edge of a word.')
    if repeats(pattern) > MOST_REPEATS:
        raise Impossible("The pattern repeats too much: the counts in its {…} multiply to more than 10,000.")
    try:
        return regex.compile(pattern)
    except (regex.error, OverflowError, RecursionError, MemoryError) as error:
        raise Impossible(f"This is no pattern: {error}.") from None


def repeats(pattern: str) -> int:
    """What the counts in the braces of a pattern multiply to: compiling it takes memory by that."""
    inside = " ".join(_BRACES.findall("".join(pattern.split())))
    return prod(int(count[:9]) or 1 for count in re.findall(r"\d+", inside))


def _any(evaluation: Evaluation, values: Any) -> bool:
    return any(_list(values))


def _all(evaluation: Evaluation, values: Any) -> bool:
    return all(_list(values))


def _sum(evaluation: Evaluation, values: Any) -> Any:
    return in_range(sum(_number(value) for value in _list(values) if value is not None))


def _least(evaluation: Evaluation, *values: Any) -> Any:
    found = _comparable(values)
    return min(found) if found else None


def _most(evaluation: Evaluation, *values: Any) -> Any:
    found = _comparable(values)
    return max(found) if found else None


def _comparable(values: tuple[Any, ...]) -> list[Any]:
    given = _list(values[0]) if len(values) == 1 else values
    found = [value for value in given if value is not None]
    if not (all(map(is_number, found)) or all(isinstance(value, str) for value in found)):
        raise Impossible("This takes numbers, or texts, and not both.")
    return found


def _abs(evaluation: Evaluation, value: Any) -> Any:
    return abs(_number(value))


def _round(evaluation: Evaluation, value: Any, digits: Any = None) -> Any:
    if not (digits is None or (isinstance(digits, int) and abs(digits) <= 15)):
        raise Impossible("The digits are a whole number of at most 15.")
    return round(_number(value), digits)


def _int(evaluation: Evaluation, value: Any) -> Any:
    return in_range(_read(int, value))


def _float(evaluation: Evaluation, value: Any) -> Any:
    return in_range(_read(float, value))


def _read(number: type, value: Any) -> Any:
    if not isinstance(value, str | int | float):
        raise Impossible(f"This takes a text or a number, not {kind_of(value)}.")
    try:
        return number(value)
    except ValueError:
        raise Impossible(f"This text is no {'whole ' if number is int else ''}number.") from None


def _str(evaluation: Evaluation, value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=dict)
    evaluation.made(len(text))
    return text


FUNCTIONS: Mapping[str, Function] = {
    "len": Function("len(text or list)", _len),
    "lower": Function("lower(text)", _lower),
    "upper": Function("upper(text)", _upper),
    "words": Function("words(text)", _words),
    "lines": Function("lines(text)", _lines),
    "count": Function("count(text, part)", _count, 2, 2),
    "matches": Function('matches(text, r"pattern")', _matches, 2, 2),
    "any": Function("any(list)", _any),
    "all": Function("all(list)", _all),
    "sum": Function("sum(list)", _sum),
    "min": Function("min(list) or min(a, b, …)", _least, 1, 20),
    "max": Function("max(list) or max(a, b, …)", _most, 1, 20),
    "abs": Function("abs(number)", _abs),
    "round": Function("round(number, digits)", _round, 1, 2),
    "int": Function("int(text or number)", _int),
    "float": Function("float(text or number)", _float),
    "str": Function("str(value)", _str),
}
