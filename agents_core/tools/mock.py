"""Example arguments for trying a tool, made from its JSON Schema: the same schema gives the same example."""

from typing import Any

_FORMATS = {
    "date": "2025-06-01",
    "date-time": "2025-06-01T09:30:00Z",
    "time": "09:30:00",
    "duration": "PT30M",
    "email": "ada@example.com",
    "uri": "https://example.com",
    "url": "https://example.com",
    "uuid": "123e4567-e89b-12d3-a456-426614174000",
    "ipv4": "192.0.2.1",
    "hostname": "example.com",
}
# The first that is part of the parameter's name wins: longer, more telling words stand first.
_TEXTS = {
    "email": "ada@example.com",
    "url": "https://example.com",
    "link": "https://example.com",
    "phone": "+44 20 7946 0000",
    "timezone": "Europe/London",
    "datetime": "2025-06-01T09:30:00Z",
    "timestamp": "2025-06-01T09:30:00Z",
    "date": "2025-06-01",
    "time": "09:30",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "user": "ada",
    "file": "notes.txt",
    "path": "notes.txt",
    "name": "Ada Lovelace",
    "city": "London",
    "location": "London",
    "country": "United Kingdom",
    "address": "12 St James's Square, London",
    "language": "en",
    "currency": "EUR",
    "color": "blue",
    "colour": "blue",
    "code": "A-17",
    "title": "Meeting notes",
    "query": "what did we decide last week",
    "question": "what did we decide last week",
    "message": "Hello, how are you?",
    "content": "The quick brown fox jumps over the lazy dog.",
    "text": "The quick brown fox jumps over the lazy dog.",
    "expression": "2 + 2",
    "_id": "item-17",
    "tag": "important",
}
_NUMBERS = {
    "year": 2025,
    "month": 6,
    "day": 1,
    "hour": 9,
    "minute": 30,
    "age": 36,
    "percent": 25,
    "amount": 19.9,
    "price": 19.9,
    "total": 19.9,
    "temperature": 21.5,
    "latitude": 51.5074,
    "longitude": -0.1278,
    "lat": 51.5074,
    "lon": -0.1278,
    "page": 1,
    "limit": 10,
    "count": 3,
}
_DEEPEST = 8


def mock_arguments(parameters: dict[str, Any]) -> dict[str, Any]:
    """A plausible value for every property: its default, an allowed value, or one that suits its format or name.

    Meant for a person to change. Takes any JSON Schema; what it cannot make out becomes a word, never an error.
    """
    example = _Example(parameters.get("$defs") or parameters.get("definitions") or {})
    return example.mapping(parameters, 0)


class _Example:
    def __init__(self, definitions: dict[str, Any]) -> None:
        self._definitions = definitions

    def mapping(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties")
        if not isinstance(properties, dict):
            return {}
        return {name: self.value(name, inner, depth + 1) for name, inner in properties.items()}

    def value(self, name: str, schema: Any, depth: int) -> Any:
        if not isinstance(schema, dict) or depth > _DEEPEST:
            return None
        schema = self._resolved(schema)
        for key in ("default", "const"):
            if key in schema:
                return schema[key]
        for key in ("examples", "enum"):
            if isinstance(schema.get(key), list) and schema[key]:
                return schema[key][0]
        for key in ("anyOf", "oneOf", "allOf"):
            if isinstance(schema.get(key), list) and schema[key]:
                return self.value(name, _first_not_null(schema[key]), depth + 1)
        return self._typed(name, schema, depth)

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            return schema
        found = self._definitions.get(reference.rpartition("/")[2])
        return found if isinstance(found, dict) else {}

    def _typed(self, name: str, schema: dict[str, Any], depth: int) -> Any:
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next((one for one in kind if one != "null"), "null")
        if kind == "object" or "properties" in schema:
            return self.mapping(schema, depth)
        if kind == "array":
            return self._array(name, schema, depth)
        if kind in {"integer", "number"}:
            return _number(name, schema, whole=kind == "integer")
        if kind == "boolean":
            return True
        return None if kind == "null" else _text(name, schema)

    def _array(self, name: str, schema: dict[str, Any], depth: int) -> list[Any]:
        singular = name.removesuffix("s")
        if isinstance(schema.get("prefixItems"), list):
            return [self.value(singular, one, depth + 1) for one in schema["prefixItems"]]
        count = max(1, min(3, schema.get("minItems") or 1))
        return [self.value(singular, schema.get("items") or {"type": "string"}, depth + 1)] * count


def _first_not_null(schemas: list[Any]) -> Any:
    return next((one for one in schemas if not (isinstance(one, dict) and one.get("type") == "null")), None)


def _number(name: str, schema: dict[str, Any], *, whole: bool) -> int | float:
    value: float = next((number for word, number in _NUMBERS.items() if word in _words(name)), 3 if whole else 1.5)
    low, high = schema.get("minimum"), schema.get("maximum")
    if isinstance(high, (int, float)):
        value = min(value, high)
    if isinstance(low, (int, float)):
        value = max(value, low)
    return int(value) if whole else value


def _text(name: str, schema: dict[str, Any]) -> str:
    by_name = next((text for word, text in _TEXTS.items() if word in f"_{name.lower()}"), "example")
    text = _FORMATS.get(str(schema.get("format")), by_name)
    short = schema.get("maxLength")
    return text[:short] if isinstance(short, int) else text


def _words(name: str) -> list[str]:
    return name.lower().split("_")
