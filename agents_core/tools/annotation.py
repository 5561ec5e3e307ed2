"""Type annotations as JSON Schema, read from the syntax tree: nothing of the source is ever run."""

import ast
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from agents_core.tools import docstring
from agents_core.tools.fields import ClassField, ClassKind, elements, fields_of, kind_of, last_name

Schema = dict[str, Any]
Report = Callable[[ast.AST, str], None]

_PLAIN: dict[str, Schema] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "None": {"type": "null"},
    "Any": {},
    "object": {},
    "dict": {"type": "object"},
    "Dict": {"type": "object"},
    "Mapping": {"type": "object"},
    "list": {"type": "array", "items": {"type": "string"}},
    "List": {"type": "array", "items": {"type": "string"}},
    "Sequence": {"type": "array", "items": {"type": "string"}},
}
_LISTS, _MAPPINGS, _TUPLES = {"list", "List", "Sequence"}, {"dict", "Dict", "Mapping"}, {"tuple", "Tuple"}
_WRAPPERS = {"Annotated", "Required", "NotRequired", "ReadOnly", "Final"}
_ENUMS = {"Enum", "StrEnum", "IntEnum"}
_JSON_TYPES: dict[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}
_KNOWN = (
    "str, int, float, bool, list[T], dict, tuple[T, …], Literal[…], T | U, T | None, Any, or an Enum, "
    "pydantic model, dataclass or TypedDict in this source"
)
_INSTEAD = {
    "datetime": "str, and say in its description that it is ISO 8601",
    "date": "str, and say in its description that it is YYYY-MM-DD",
    "bytes": "str, and say how the bytes are encoded",
    "set": "list[T]",
    "Decimal": "str or float",
    "Path": "str",
    "Callable": "a Literal with the names of the choices",
}


@dataclass
class Annotations:
    """Turns annotations of one module into schemas. ``report`` hears of each that cannot be one."""

    report: Report
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    aliases: dict[str, ast.expr] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, module: ast.Module, report: Report) -> "Annotations":
        self = cls(report)
        for node in module.body:
            if isinstance(node, ast.ClassDef):
                self.classes[node.name] = node
            elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                self.aliases[node.targets[0].id] = node.value
        return self

    def schema(self, node: ast.expr) -> Schema:
        """The schema of one annotation; an empty one, which allows everything, where it was reported instead."""
        if isinstance(node, ast.Constant):
            return self._constant(node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self._union(_alternatives(node))
        if isinstance(node, ast.Subscript):
            return self._subscript(node)
        if isinstance(node, (ast.Name, ast.Attribute)):
            return self._named(node)
        return self._refuse(node, f"`{ast.unparse(node)}` is not a type")

    def _refuse(self, node: ast.AST, reason: str) -> Schema:
        self.report(node, f"{reason[:1].upper()}{reason[1:]}.")
        return {}

    def is_optional(self, node: ast.expr) -> bool:
        """Whether None is one of the alternatives."""
        node = self._text_parsed(node)
        if isinstance(node, ast.Name) and node.id in self.aliases and node.id not in _PLAIN:
            return not _refers_to(self.aliases[node.id], node.id) and self.is_optional(self.aliases[node.id])
        if isinstance(node, ast.Subscript):
            inner = elements(node)
            return last_name(node.value) == "Optional" or (
                last_name(node.value) in {"Union", *_WRAPPERS} and any(map(self._may_be_none, inner))
            )
        return isinstance(node, ast.BinOp) and any(map(self._may_be_none, _alternatives(node)))

    def _may_be_none(self, node: ast.expr) -> bool:
        return _is_none(node) or self.is_optional(node)

    def _constant(self, node: ast.Constant) -> Schema:
        if node.value is None:
            return dict(_PLAIN["None"])
        if isinstance(node.value, str):
            parsed = self._text_parsed(node)
            if parsed is not node:
                return self.schema(parsed)
        return self._refuse(node, f"`{ast.unparse(node)}` is not a type; for fixed values use Literal[{node.value!r}]")

    def _text_parsed(self, node: ast.expr) -> ast.expr:
        """An annotation written as text, as an expression at the same place."""
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            return node
        try:
            parsed = ast.parse(node.value, mode="eval").body
        except (SyntaxError, ValueError):
            return node
        for inner in ast.walk(parsed):
            ast.copy_location(inner, node)
        return parsed

    def _named(self, node: ast.Name | ast.Attribute) -> Schema:
        name = last_name(node)
        if name in self.classes:
            return self._class(node, self.classes[name])
        if name in _PLAIN:
            return json.loads(json.dumps(_PLAIN[name]))  # type: ignore[no-any-return]
        if name in _TUPLES:
            return self._refuse(node, "a tuple needs the types of its parts, as in tuple[int, str]; else use list[T]")
        if name in self.aliases and isinstance(node, ast.Name):
            return self._once(node, name, lambda: self.schema(self.aliases[name]))
        instead = _INSTEAD.get(name, f"one of {_KNOWN}")
        return self._refuse(node, f"type `{ast.unparse(node)}` cannot be told to a model: use {instead}")

    def _subscript(self, node: ast.Subscript) -> Schema:
        name, inner = last_name(node.value), elements(node)
        if name in _WRAPPERS:
            return self.schema(inner[0])
        if name in {"Optional", "Union"}:
            return self._union(inner)
        if name == "Literal":
            return self._literal(inner)
        if name in _LISTS:
            return {"type": "array", "items": self.schema(inner[0])}
        if name in _MAPPINGS:
            return {"type": "object", "additionalProperties": self.schema(inner[-1])}
        if name in _TUPLES:
            return self._tuple(inner)
        instead = _INSTEAD.get(name, f"one of {_KNOWN}")
        return self._refuse(node, f"type `{ast.unparse(node)}` cannot be told to a model: use {instead}")

    def _union(self, alternatives: list[ast.expr]) -> Schema:
        """``anyOf`` the alternatives; that of T alone for T or None, since what may be left out is not required."""
        schemas = [self.schema(one) for one in alternatives if not _is_none(one)]
        return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}

    def _literal(self, inner: list[ast.expr]) -> Schema:
        values = []
        for node in inner:
            if isinstance(node, ast.Constant) and isinstance(node.value, (str, int, float, bool, type(None))):
                values.append(node.value)
            else:
                self._refuse(
                    node, f"`{ast.unparse(node)}` cannot stand in a Literal: text, numbers, True, False, None can"
                )
        return _enumeration(values)

    def _tuple(self, inner: list[ast.expr]) -> Schema:
        if len(inner) == 2 and isinstance(inner[1], ast.Constant) and inner[1].value is ...:
            return {"type": "array", "items": self.schema(inner[0])}
        items = [self.schema(one) for one in inner]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}

    def _class(self, node: ast.expr, definition: ast.ClassDef) -> Schema:
        bases = self._bases(definition)
        if bases & _ENUMS:
            return _enumeration([member.value for member in _members(definition).values()])
        kind = kind_of(definition, bases)
        if kind is None:
            return self._refuse(
                node,
                f"class `{definition.name}` cannot be told to a model: derive it from pydantic.BaseModel or TypedDict, "
                "or put @dataclass above it",
            )
        return self._once(node, definition.name, lambda: self._record(definition, kind))

    def member_value(self, node: ast.expr | None) -> ast.expr | None:
        """The value of the member that a default such as ``Unit.CELSIUS`` names; any other default as it is."""
        if not (isinstance(node, ast.Attribute) and last_name(node.value) in self.classes):
            return node
        definition = self.classes[last_name(node.value)]
        members = _members(definition) if self._bases(definition) & _ENUMS else {}
        return members.get(node.attr, node)

    def _bases(self, definition: ast.ClassDef, depth: int = 0) -> set[str]:
        names = {last_name(base) for base in definition.bases}
        for name in list(names):
            if name in self.classes and depth < 20:
                names |= self._bases(self.classes[name], depth + 1)
        return names

    def _once(self, node: ast.expr, name: str, build: Callable[[], Schema]) -> Schema:
        if name in self._open:
            return self._refuse(node, f"`{name}` contains itself: a model cannot be told types without an end")
        self._open.append(name)
        try:
            return build()
        finally:
            self._open.pop()

    def _record(self, definition: ast.ClassDef, kind: ClassKind) -> Schema:
        described = docstring.parse(ast.get_docstring(definition) or "")
        properties: dict[str, Schema] = {}
        required: list[str] = []
        for base in definition.bases:
            if last_name(base) in self.classes:
                inherited = self._inherited(base, kind)
                properties |= inherited.get("properties", {})
                required += inherited.get("required", [])
        for item in fields_of(definition, kind):
            properties[item.name] = self._field(item, described.arguments.get(item.name, ""), kind)
            if not item.may_be_absent and not self.is_optional(item.annotation):
                required.append(item.name)
        schema: Schema = {"type": "object", "properties": properties, "required": required}
        return {**schema, "description": described.description} if described.description else schema

    def _inherited(self, base: ast.expr, kind: ClassKind) -> Schema:
        return self._once(base, last_name(base), lambda: self._record(self.classes[last_name(base)], kind))

    def _field(self, item: ClassField, from_docstring: str, kind: ClassKind) -> Schema:
        schema = self.schema(item.annotation)
        description = item.description or from_docstring
        if not description:
            wanted = 'write Field(description="…")' if kind == "pydantic model" else "describe it under `Attributes:`"
            self.report(item.node, f"Field `{item.name}` has no description: {wanted}.")
        return with_details(schema, description, self.member_value(item.default))


def with_details(schema: Schema, description: str, default: ast.expr | None) -> Schema:
    """``schema`` with a description and, where it is plain JSON data, the default."""
    detailed = {**schema, "description": description} if description else dict(schema)
    if default is None:
        return detailed
    try:
        value = ast.literal_eval(default)
        json.dumps(value, allow_nan=False)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return detailed
    return {**detailed, "default": value} if value is not None and value is not ... else detailed


def _members(definition: ast.ClassDef) -> dict[str, ast.Constant]:
    """The plain values of an enum, by name."""
    return {
        target.id: item.value
        for item in definition.body
        if isinstance(item, ast.Assign) and isinstance(item.value, ast.Constant)
        for target in item.targets
        if isinstance(target, ast.Name)
    }


def _enumeration(values: list[Any]) -> Schema:
    kinds = {_JSON_TYPES.get(type(value)) for value in values}
    kind = kinds.pop() if len(kinds) == 1 else None
    return {"type": kind, "enum": values} if kind else {"enum": values}


def _alternatives(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _alternatives(node.left) + _alternatives(node.right)
    return [node]


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _refers_to(node: ast.AST, name: str) -> bool:
    return any(isinstance(inner, ast.Name) and inner.id == name for inner in ast.walk(node))
