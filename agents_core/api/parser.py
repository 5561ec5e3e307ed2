"""Reading requests: strict JSON, and no text that the database cannot hold."""

import json
import math
import re
from typing import Any, NoReturn

from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from ninja.parser import Parser
from ninja.types import DictStrAny

from agents_core.errors import InvalidInput

# How a NUL or a lone half of a surrogate pair can stand in JSON text.
_SUSPECT = re.compile(rb"\\u(0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def clean(value: Any) -> Any:
    """``value`` without NUL characters and lone surrogates in any text of it, keys included."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("", value)
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, dict):
        return {clean(name): clean(item) for name, item in value.items()}
    return value


def read_json(body: bytes) -> Any:
    """The value that ``body`` spells, cleaned. Raises ``InvalidInput`` when it is not strict JSON; NaN and Infinity are not."""
    try:
        value = json.loads(body.decode(), parse_constant=_refuse_constant, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise InvalidInput(f"The body is not UTF-8: byte {error.start}.") from None
    except RecursionError:
        raise InvalidInput("The body is nested too deeply.") from None
    except ValueError as error:
        raise InvalidInput(f"The body is not valid JSON: {error}") from None
    return clean(value) if _SUSPECT.search(body) else value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large for a number.")
    return number


class StrictParser(Parser):
    def parse_body(self, request: HttpRequest) -> DictStrAny:
        value: DictStrAny = read_json(request.body)
        return value

    def parse_querydict(
        self, data: "MultiValueDict[str, Any]", list_fields: list[str], request: HttpRequest
    ) -> DictStrAny:
        values: DictStrAny = clean(super().parse_querydict(data, list_fields, request))
        return values
