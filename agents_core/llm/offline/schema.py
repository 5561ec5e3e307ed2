"""Values that fit a JSON Schema, found in a sentence or made up as simply as the schema allows."""

import json
import re
from typing import Any

Schema = dict[str, Any]

MAX_DEPTH = 8

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}
_SAMPLES = {
    "date": "1970-01-01",
    "date-time": "1970-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "email": "nobody@example.com",
    "uri": "https://example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


class UnfitError(ValueError):
    """A text is no value of the type its parameter asks for."""


def properties(schema: Schema) -> dict[str, Schema]:
    found = schema.get("properties")
    return {name: part for name, part in found.items() if isinstance(part, dict)} if isinstance(found, dict) else {}


def required(schema: Schema) -> list[str]:
    names = schema.get("required")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def kind(schema: Schema) -> str:
    """The type of a value, "string" when the schema does not say; of several the first that is not null."""
    declared = schema.get("type")
    kinds = [each for each in (declared if isinstance(declared, list) else [declared]) if isinstance(each, str)]
    kinds += [kind(part) for part in _parts(schema, "anyOf") + _parts(schema, "oneOf") if not kinds]
    return next((each for each in kinds if each != "null"), "object" if "properties" in schema else "string")


def _parts(schema: Schema, keyword: str) -> list[Schema]:
    parts = schema.get(keyword)
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []


# --- a text as a value ----------------------------------------------------------------------------


def coerced(text: str, schema: Schema) -> Any:
    """``text`` as the schema's type. Raises ``UnfitError`` with what would fit."""
    choices = schema.get("enum")
    if isinstance(choices, list):
        return _chosen(text, choices)
    match kind(schema):
        case "integer" | "number" as wanted:
            return _number(text, wanted)
        case "boolean":
            return _boolean(text)
        case "array":
            return _array(text, schema)
        case "object":
            return _json(text, dict, "a JSON object")
        case _:
            return text


def _chosen(text: str, choices: list[Any]) -> Any:
    for choice in choices:
        if str(choice).casefold() == text.casefold():
            return choice
    raise UnfitError(f"one of {', '.join(map(str, choices))}")


def _number(text: str, wanted: str) -> int | float:
    if not re.fullmatch(r"-?(?:\d{1,40}(?:\.\d{1,40})?|\.\d{1,40})", text):
        raise UnfitError("a number")
    value = float(text)
    if wanted == "integer" and not value.is_integer():
        raise UnfitError("a whole number")
    return int(text) if text.lstrip("-").isdigit() else int(value) if wanted == "integer" else value


def _boolean(text: str) -> bool:
    if text.casefold() in _TRUE | _FALSE:
        return text.casefold() in _TRUE
    raise UnfitError("true or false")


def _array(text: str, schema: Schema) -> list[Any]:
    if text.startswith("["):
        value: list[Any] = _json(text, list, "a JSON list")
        return value
    items = schema.get("items")
    return [coerced(part.strip(), items if isinstance(items, dict) else {}) for part in text.split(",")]


def _json(text: str, wanted: type, words: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise UnfitError(words) from None
    if not isinstance(value, wanted):
        raise UnfitError(words)
    return value


# --- a value for every schema ---------------------------------------------------------------------


def filled(schema: Schema, words: str) -> Any:
    """A value that fits ``schema``: texts are ``words``; numbers and choices are those that ``words`` holds, if any."""
    return _Filler(schema, words).value(schema, 0)


class _Filler:
    def __init__(self, root: Schema, words: str) -> None:
        self._root = root
        self._words = words
        self._numbers = _NUMBER.findall(words)

    def value(self, schema: Any, depth: int) -> Any:
        schema = self._resolved(schema)
        for keyword in ("const", "default"):
            if keyword in schema:
                return schema[keyword]
        if isinstance(choices := schema.get("enum"), list) and choices:
            return next((choice for choice in choices if str(choice).casefold() in self._words.casefold()), choices[0])
        if variants := _parts(schema, "anyOf") + _parts(schema, "oneOf") + _parts(schema, "allOf")[:1]:
            return self.value(next((part for part in variants if part.get("type") != "null"), variants[0]), depth + 1)
        return self._plain(schema, depth)

    def _plain(self, schema: Schema, depth: int) -> Any:
        match kind(schema):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth)
            case "integer" | "number" as wanted:
                return self._number(schema, wanted)
            case "boolean":
                return False
            case "null":
                return None
            case _:
                return self._string(schema)

    def _resolved(self, schema: Any) -> Schema:
        for _ in range(MAX_DEPTH):
            if not isinstance(schema, dict):
                return {}
            reference = schema.get("$ref")
            if not isinstance(reference, str):
                return schema
            schema = self._root
            for step in reference.removeprefix("#").strip("/").split("/"):
                schema = schema.get(step, {}) if isinstance(schema, dict) and step else schema
        return {}

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        needed = set(required(schema))
        wanted = {name: part for name, part in properties(schema).items() if name in needed or depth < 2}
        if depth >= MAX_DEPTH:
            wanted = {}
        return {name: self.value(part, depth + 1) for name, part in wanted.items()}

    def _array(self, schema: Schema, depth: int) -> list[Any]:
        least = schema.get("minItems", 0)
        return [self.value(schema.get("items"), depth + 1) for _ in range(min(least, 100))] if depth < MAX_DEPTH else []

    def _number(self, schema: Schema, wanted: str) -> int | float:
        least, most = schema.get("minimum"), schema.get("maximum")
        above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
        said = [int(float(text)) if wanted == "integer" else float(text) for text in self._numbers[:20]]
        bounds = [least, above + 1 if isinstance(above, int | float) else None, most, 0]
        candidates = [*said, *(bound for bound in bounds if isinstance(bound, int | float))]
        fitting = (
            number
            for number in candidates
            if (least is None or number >= least)
            and (most is None or number <= most)
            and (above is None or number > above)
            and (below is None or number < below)
        )
        return next(fitting, 0)

    def _string(self, schema: Schema) -> str:
        sample = _SAMPLES.get(schema.get("format", ""))
        if sample:
            return sample
        most = schema.get("maxLength", 2_000)
        return self._words[:most].ljust(min(schema.get("minLength", 0), 2_000), ".")
