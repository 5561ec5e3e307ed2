"""What a tool may be called with by its JSON Schema, for tests that look for a call that breaks it.

Values are of a size that a model would write: without bounds in the schema, numbers within a million, texts and lists that are short.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from math import ceil, floor, isfinite
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

_LARGEST = 1_000_000
_DEEPEST = 5
_MOST_ITEMS = 5
_LONGEST = 40

Strategy = SearchStrategy[Any]
Schema = Mapping[str, Any]


def arguments(parameters: Schema, likely: Collection[Any] = (), known: Collection[Schema] = ()) -> Strategy:
    """Arguments that ``parameters`` allow; those that may be left out sometimes are.

    Half of all texts and numbers are of ``likely``. Half of the calls are those of ``known`` with another value for one argument.
    What a schema says that is not understood here is not kept to, so that a value may be wrong in it.
    """
    reader = _Reader(parameters, likely)
    anything, near = reader.value(parameters, 0), list(reader.near(parameters, known))
    # Not ``|``: each of many near ones would be as likely as anything at all.
    return st.sampled_from([anything, st.one_of(near)]).flatmap(lambda chosen: chosen) if near else anything


_ANY_LEAF = st.none() | st.booleans() | st.integers(-_LARGEST, _LARGEST) | st.text(max_size=_LONGEST)
_ANY = st.recursive(
    _ANY_LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


class _Reader:
    def __init__(self, root: Schema, likely: Collection[Any]) -> None:
        self._texts = [one for one in likely if isinstance(one, str)]
        self._numbers = [one for one in likely if isinstance(one, int | float)]
        self._definitions = root.get("$defs") or root.get("definitions") or {}

    def near(self, parameters: Schema, known: Collection[Schema]) -> Iterator[Strategy]:
        """For each argument of each call that fits ``parameters``, the calls that differ in it."""
        properties = parameters.get("properties") or {}
        for call in known:
            if properties.keys() >= call.keys() >= set(parameters.get("required", ())):
                same = {name: st.just(value) for name, value in call.items()}
                for name in call:
                    yield st.fixed_dictionaries({**same, name: self.value(properties[name], 1)})

    def value(self, schema: Any, depth: int) -> Strategy:
        if not isinstance(schema, Mapping) or depth > _DEEPEST:
            return st.none() if depth > _DEEPEST else _ANY
        if isinstance(schema.get("$ref"), str):
            return self.value(self._definitions.get(schema["$ref"].rpartition("/")[2], {}), depth + 1)
        if "const" in schema:
            return st.just(schema["const"])
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            return st.sampled_from(schema["enum"])
        for key in ("anyOf", "oneOf"):
            if isinstance(schema.get(key), list) and schema[key]:
                return st.one_of([self.value(one, depth + 1) for one in schema[key]])
        kinds = schema.get("type")
        if isinstance(kinds, list) and kinds:
            return st.one_of([self.value({**schema, "type": kind}, depth) for kind in kinds])
        return self._typed(str(kinds or ("object" if "properties" in schema else "")), schema, depth)

    def _typed(self, kind: str, schema: Schema, depth: int) -> Strategy:
        known: dict[str, Callable[[], Strategy]] = {
            "string": lambda: _text(schema, self._texts),
            "integer": lambda: _number(schema, self._numbers, whole=True),
            "number": lambda: _number(schema, self._numbers, whole=False),
            "boolean": st.booleans,
            "null": st.none,
            "array": lambda: self._array(schema, depth),
            "object": lambda: self._object(schema, depth),
        }
        return known[kind]() if kind in known else _ANY

    def _array(self, schema: Schema, depth: int) -> Strategy:
        if isinstance(schema.get("prefixItems"), list):
            return st.tuples(*(self.value(one, depth + 1) for one in schema["prefixItems"])).map(list)
        least = _size(schema, "minItems", 0)
        most = _size(schema, "maxItems", least + _MOST_ITEMS)
        return st.lists(self.value(schema.get("items", {}), depth + 1), min_size=least, max_size=max(least, most))

    def _object(self, schema: Schema, depth: int) -> Strategy:
        properties = schema.get("properties")
        if not isinstance(properties, Mapping):
            inner = schema.get("additionalProperties")
            values = self.value(inner if isinstance(inner, Mapping) else {}, depth + 1)
            return st.dictionaries(st.text(max_size=8), values, max_size=_MOST_ITEMS)
        made = {name: self.value(one, depth + 1) for name, one in properties.items()}
        required = {name: one for name, one in made.items() if name in schema.get("required", [])}
        optional = {name: one for name, one in made.items() if name not in required}
        return st.fixed_dictionaries(required, optional=optional)


def _size(schema: Schema, key: str, otherwise: int) -> int:
    size = schema.get(key)
    return size if isinstance(size, int) and 0 <= size <= 1_000 else otherwise


_FORMATS: dict[str, Strategy] = {
    "date": st.dates().map(str),
    "date-time": st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()),
    "time": st.times().map(str),
    "email": st.emails(),
    "uuid": st.uuids().map(str),
}


def _text(schema: Schema, likely: Collection[str]) -> Strategy:
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    least = _size(schema, "minLength", 0)
    most = _size(schema, "maxLength", least + _LONGEST)
    fitting = sorted(text for text in likely if least <= len(text) <= most)
    anything = st.text(min_size=least, max_size=max(least, most))
    return anything | st.sampled_from(fitting) if fitting else anything


def _number(schema: Schema, likely: Collection[float], *, whole: bool) -> Strategy:
    low, high = _bound(schema, "minimum", "exclusiveMinimum"), _bound(schema, "maximum", "exclusiveMaximum")
    least = low if low is not None else min(-_LARGEST, high if high is not None else 0)
    most = max(least, high if high is not None else _LARGEST)
    values: Strategy = st.integers(ceil(least), max(ceil(least), floor(most))) if whole else st.floats(least, most)
    fitting = sorted(
        {int(one) if whole else float(one) for one in likely if least <= one <= most and (not whole or one == int(one))}
    )
    values = values | st.sampled_from(fitting) if fitting else values
    excluded = [schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")]
    return values.filter(lambda value: value not in excluded)


def _bound(schema: Schema, *names: str) -> float | None:
    given = [schema[name] for name in names if isinstance(schema.get(name), int | float)]
    return given[0] if given and isfinite(given[0]) else None
