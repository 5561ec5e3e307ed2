"""Values on their way in, fitted to annotations, and on their way out, made JSON."""

import json
import math
import types
from collections.abc import Callable
from typing import Any

_TRUE, _FALSE = {"true", "1", "yes"}, {"false", "0", "no"}


def coerced(function: Callable[..., Any], args: dict[str, Any]) -> dict[str, Any]:
    """``args`` as what ``function`` is annotated with: plain values as int, float, bool or str, objects as instances of enums, dataclasses
    and pydantic models, within lists and dicts too.

    Raises ``ValueError`` that names the argument when a value cannot be one.
    """
    hints = _hints(function)
    return {name: _coerce(name, value, hints.get(name)) for name, value in args.items()}


def _hints(function: Any) -> dict[str, Any]:
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
    if value is None or hint is None:
        return value
    if not isinstance(hint, type):
        return _coerce_within(name, value, hint)
    if isinstance(value, dict) and (make := _maker(hint)):
        return _made(name, value, hint, make)
    if isinstance(value, (list, dict)):
        return value
    parser = _PARSERS.get(hint) or (hint if hasattr(hint, "__members__") else None)
    try:
        return parser(value) if parser else value
    except (ValueError, OverflowError):
        raise ValueError(f"argument {name!r} should be {hint.__name__}, not {value!r:.80}") from None


def _coerce_within(name: str, value: Any, hint: Any) -> Any:
    """The items of a list, the values of a dict."""
    import typing

    inner = typing.get_args(hint)
    if isinstance(value, list) and typing.get_origin(hint) is list:
        return [_coerce(f"{name}[{index}]", item, inner[0]) for index, item in enumerate(value)]
    if isinstance(value, dict) and typing.get_origin(hint) is dict:
        return {key: _coerce(f"{name}[{key!r}]", item, inner[1]) for key, item in value.items()}
    return value


def _maker(hint: Any) -> Callable[[dict[str, Any]], Any] | None:
    """What makes an instance of a dataclass or a pydantic model."""
    if hasattr(hint, "__dataclass_fields__"):
        return lambda fields: hint(**fields)
    validate: Callable[[dict[str, Any]], Any] | None = getattr(hint, "model_validate", None)
    return validate


def _made(name: str, value: dict[str, Any], hint: Any, make: Callable[[dict[str, Any]], Any]) -> Any:
    hints = _hints(hint) if hasattr(hint, "__dataclass_fields__") else {}
    try:
        return make({key: _coerce(f"{name}.{key}", item, hints.get(key)) for key, item in value.items()})
    except TypeError as error:  # A dataclass's way of saying that a field is missing or unknown.
        raise ValueError(f"argument {name!r} is no {hint.__name__}: {error}") from None


def _without_none(hint: Any) -> Any:
    """``int`` for ``Optional[int]`` and ``int | None``; None for other unions and for what cannot be looked up."""
    import typing

    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        rest = [one for one in typing.get_args(hint) if one is not type(None)]
        hint = rest[0] if len(rest) == 1 else None
    return hint if isinstance(hint, type) or typing.get_origin(hint) in {list, dict} else None


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
