"""What a foreign server says of a tool, made into a name and a schema that every model provider takes."""

import json
import re
from collections.abc import Container, Mapping
from hashlib import sha256
from typing import Any

from agents_core.errors import Refused

LONGEST_NAME = 48
_LONGEST_SCHEMA = 60_000
_LONGEST_DESCRIPTION = 4_000
_DEEPEST = 40
_PROPERTY = re.compile(r"[A-Za-z0-9_.-]{1,64}")
# Where a schema stands in another, and where schemas stand by name.
_ONE = ("items", "additionalProperties", "not", "contains", "propertyNames", "if", "then", "else")
_SOME = ("anyOf", "oneOf", "allOf", "prefixItems")
_NAMED = ("properties", "patternProperties")
_DROPPED = ("$schema", "$id", "$defs", "definitions", "$comment", "$anchor")
_CHOICES = ("anyOf", "oneOf", "allOf")

Schema = dict[str, Any]


class SchemaUnusable(Refused):
    """No model could be given such a schema."""

    code = "mcp_schema_unusable"


def described(text: str | None) -> str:
    """A description, no longer than a model should read with each request."""
    text = (text or "").strip()
    return text if len(text) <= _LONGEST_DESCRIPTION else f"{text[:_LONGEST_DESCRIPTION]}…"


def free_name(remote: str, server: str, taken: Container[str]) -> str:
    """The name that agents call the tool by: its own in the letters that models take, with the server's before it where it is taken."""
    own = _spelt(remote) or "tool"
    for name in (own, f"{_spelt(server) or 'mcp'}_{own}"):
        if (fitting := _fitting(name)) not in taken:
            return fitting
    number = 2
    while (fitting := _fitting(f"{own}_{number}")) in taken:
        number += 1
    return fitting


def _spelt(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_-")


def _fitting(name: str) -> str:
    """``name``, cut; what was cut off still tells two names apart."""
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 7]}_{sha256(name.encode()).hexdigest()[:6]}"


def usable(given: Any) -> Schema:
    """``given`` as the schema of a tool's arguments: an object, with no references, no choice at its top and a type on every property.

    Raises ``SchemaUnusable`` with the reason.
    """
    if not isinstance(given, Mapping):
        raise SchemaUnusable("its schema is no object.")
    try:
        schema = _object(_plain(given, given, ()))
        size = len(json.dumps(schema))
    except (RecursionError, TypeError, ValueError):
        raise SchemaUnusable("its schema cannot be read.") from None
    if size > _LONGEST_SCHEMA:
        raise SchemaUnusable(
            f"its schema has {size:,} characters, of which a model is given at most {_LONGEST_SCHEMA:,}."
        )
    if odd := [name for name in schema["properties"] if not _PROPERTY.fullmatch(name)]:
        raise SchemaUnusable(f"its argument {odd[0][:80]!r} has a name that models do not take.")
    return schema


def _plain(schema: Any, root: Mapping[str, Any], inside: tuple[str, ...]) -> Any:
    """``schema`` with what it refers to in place; a part that holds itself ends where it would begin again."""
    if not isinstance(schema, Mapping):
        return schema
    if len(inside) > _DEEPEST:
        raise SchemaUnusable("its schema refers to itself without an end.")
    ref = schema.get("$ref")
    if isinstance(ref, str):
        beside = {name: value for name, value in schema.items() if name != "$ref"}
        if ref in inside:
            return {"type": "object", **_plain(beside, root, inside)}
        return _plain({**_referred(ref, root), **beside}, root, (*inside, ref))
    return {name: _part(name, value, root, inside) for name, value in schema.items() if name not in _DROPPED}


def _part(name: str, value: Any, root: Mapping[str, Any], inside: tuple[str, ...]) -> Any:
    if name in _NAMED and isinstance(value, Mapping):
        return {key: _typed(_plain(each, root, inside)) for key, each in value.items()}
    if name in _SOME and isinstance(value, list):
        return [_plain(each, root, inside) for each in value]
    return _plain(value, root, inside) if name in _ONE else value


def _referred(ref: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of ``root`` that ``ref`` points at. Raises ``SchemaUnusable``."""
    found: Any = root
    for step in ref.removeprefix("#").split("/")[1:] if ref.startswith("#") else [ref]:
        key = step.replace("~1", "/").replace("~0", "~")
        found = found.get(key) if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping):
        raise SchemaUnusable(f"its schema refers to {ref[:80]!r}, which is not in it.")
    return found


def _typed(schema: Any) -> Any:
    """A property with its type, guessed where it is not said."""
    if not isinstance(schema, Mapping):
        return {} if schema is True else {"type": "string"}
    if "type" in schema or any(name in schema for name in _CHOICES):
        return schema
    return {"type": _guessed(schema), **schema}


def _guessed(schema: Mapping[str, Any]) -> str:
    if "properties" in schema or "additionalProperties" in schema:
        return "object"
    if "items" in schema or "prefixItems" in schema:
        return "array"
    values = [schema["const"]] if "const" in schema else schema.get("enum") or [schema.get("default", "")]
    names = {bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
    return names.get(type(values[0]), "string")


def _object(schema: Mapping[str, Any]) -> Schema:
    """``schema`` as one object: what it chooses between is offered side by side, and asked for only where every choice asks for it."""
    properties, required = dict(_mapping(schema.get("properties"))), list(_names(schema.get("required")))
    for choice in _CHOICES:
        branches = [_object(each) for each in schema.get(choice) or [] if isinstance(each, Mapping)]
        for branch in branches:
            properties = {**branch["properties"], **properties}
        needed = [set(branch["required"]) for branch in branches]
        if needed:
            required += sorted(set.union(*needed) if choice == "allOf" else set.intersection(*needed))
    rest = {
        name: value for name, value in schema.items() if name not in (*_CHOICES, "type", "title", "if", "then", "else")
    }
    wanted = [name for name in dict.fromkeys(required) if name in properties]
    return {**rest, "type": "object", "properties": properties, "required": wanted}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _names(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
