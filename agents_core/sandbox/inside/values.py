"""Values on their way in, fitted to annotations, and on their way out, made JSON."""

import json
import math
import types
from collections.abc import Callable
from typing import Any

_TRUE, _FALSE = {"true", "1", "yes"}, {"false", "0", "no"}


def coerced(function: Callable[..., Any], args: dict[str, Any]) -> dict[str, Any]:
    """``args`` with plain values turned into the int, float, bool or str that ``function`` is annotated with.

    Raises ``ValueError`` that names the argument when a value cannot be one.
    """
    hints = _hints(function)
    return {name: _coerce(name, value, hints.get(name)) for name, value in args.items()}


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    hints: dict[str, Any] = getattr(function, "__annotations__", {})
    if not hints:
        return hints
    import typing

    try:
        return typing.get_type_hints(function)
    except Exception:
        return hints  # An annotation names what is not there: the call may still work.


def _coerce(name: str, value: Any, hint: Any) -> Any:
    hint = _without_none(hint)
    if hint not in _PARSERS or value is None or isinstance(value, (list, dict)):
        return value
    try:
        return _PARSERS[hint](value)
    except (ValueError, OverflowError):
        raise ValueError(f"argument {name!r} should be {hint.__name__}, not {value!r:.80}") from None


def _without_none(hint: Any) -> Any:
    """``int`` for ``Optional[int]`` and ``int | None``; anything else as it is, None when it cannot be looked up."""
    import typing

    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        rest = [one for one in typing.get_args(hint) if one is not type(None)]
        hint = rest[0] if len(rest) == 1 else None
    return hint if isinstance(hint, type) else None


def _integer(value: Any) -> int:
    if isinstance(value, float) and not value.is_integer():
        raise ValueError
    return value if isinstance(value, bool) else int(value)


def _boolean(value: Any) -> bool:
    word = str(value).strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError
    return word in _TRUE


_PARSERS: dict[Any, Callable[[Any], Any]] = {int: _integer, float: float, bool: _boolean, str: str}


def plain(value: Any, within: tuple[int, ...] = ()) -> Any:
    """JSON data that stands for ``value``; ``str()`` of what JSON cannot hold, NaN, infinities and cycles included."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return text(value)
    if id(value) in within or len(within) > 100:
        return text(str(value))
    inner = (*within, id(value))
    if isinstance(value, dict):
        return {text(key if isinstance(key, str) else str(key)): plain(item, inner) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item, inner) for item in value]
    if dump := _dump_method(value):
        return plain(dump(), inner)
    return text(str(value))


def _dump_method(value: Any) -> Callable[[], Any] | None:
    """How a dataclass or a pydantic model says its fields."""
    if isinstance(value, type):
        return None
    if hasattr(value, "__dataclass_fields__"):
        import dataclasses

        return lambda: {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    dump: Callable[[], Any] | None = getattr(value, "model_dump", None)
    return dump


def text(value: str) -> str:
    """``value`` without lone surrogates, which are no Unicode and would break whoever stores them."""
    return value.encode("utf-8", "replace").decode()


def to_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
