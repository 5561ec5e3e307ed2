"""Whether what an agent is told of how its model is to answer can be meant (contract: wire, section 10).

Settings that are not named here are kept as they are: clients send more than this server uses.
"""

from collections.abc import Mapping
from math import inf
from typing import Any

from agents_core.errors import InvalidInput

_FORMATS = ("text", "json_object", "json_schema")
_KINDS: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "temperature": ((int, float), "a number from 0 to 2"),
    "max_output_tokens": (int, "a number of tokens"),
    "parallel_tool_calls": (bool, "true or false"),
    "put_inner_thoughts_in_kwargs": (bool, "true or false"),
    "reasoning": (dict, 'an object such as {"reasoning_effort": "low"}'),
    "thinking": (dict, 'an object such as {"type": "enabled", "budget_tokens": 2048}'),
}
_RANGES: Mapping[str, tuple[float, float]] = {"temperature": (0, 2), "max_output_tokens": (1, inf)}


def checked_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """``model_settings`` as they are stored. Raises ``InvalidInput`` naming what is wrong."""
    for name, (kind, words) in _KINDS.items():
        value = settings.get(name)
        if value is not None and not (_is_a(value, kind) and _in_range(name, value)):
            raise InvalidInput(f"{name} of model_settings is {words}, not {value!r:.100}.")
    checked_format(settings.get("response_format"))
    return dict(settings)


def _is_a(value: Any, kind: type | tuple[type, ...]) -> bool:
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _in_range(name: str, value: Any) -> bool:
    return name not in _RANGES or bool(_RANGES[name][0] <= value <= _RANGES[name][1])


def checked_format(response_format: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """A ``response_format`` as it is stored. Raises ``InvalidInput`` for one that no provider could follow."""
    if not response_format:
        return response_format
    kind = response_format.get("type") if isinstance(response_format, Mapping) else None
    if kind not in _FORMATS:
        raise InvalidInput(f"response_format is an object whose type is one of: {', '.join(_FORMATS)}.")
    described = response_format.get("json_schema")
    if kind == "json_schema" and not (isinstance(described, Mapping) and isinstance(described.get("schema"), Mapping)):
        raise InvalidInput('response_format json_schema needs {"json_schema": {"name": …, "schema": {…}}}.')
    return response_format
