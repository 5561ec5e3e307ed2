"""The fields of a class in a tool's source: of a pydantic model, a dataclass or a TypedDict. Nothing of it is run."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

ClassKind = Literal["pydantic model", "dataclass", "TypedDict"]

_FIELD_CALLS = {"Field", "field"}
_PRESENCE = {"Required", "NotRequired"}


@dataclass(frozen=True, slots=True)
class ClassField:
    """``default`` is the expression of the default, None where there is none; ``description`` what ``Field`` says of it."""

    node: ast.AnnAssign
    name: str
    annotation: ast.expr
    description: str
    default: ast.expr | None
    may_be_absent: bool


def kind_of(definition: ast.ClassDef, bases: set[str]) -> ClassKind | None:
    """What the class is, by its decorators and the names of all that it derives from."""
    if "BaseModel" in bases:
        return "pydantic model"
    if "TypedDict" in bases:
        return "TypedDict"
    decorators = {called_name(one) for one in definition.decorator_list}
    return "dataclass" if "dataclass" in decorators else None


def fields_of(definition: ast.ClassDef, kind: ClassKind) -> Iterator[ClassField]:
    total = not any(one.arg == "total" and _is_false(one.value) for one in definition.keywords)
    for item in definition.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and _is_field(item, item.target):
            presence = last_name(item.annotation.value) if isinstance(item.annotation, ast.Subscript) else ""
            default = None if kind == "TypedDict" else _default(item)
            absent = default is not None
            if kind == "TypedDict":
                absent = presence == "NotRequired" if presence in _PRESENCE else not total
            description = _keyword(item, "description")
            yield ClassField(item, item.target.id, item.annotation, description, default, absent)


def last_name(node: ast.AST) -> str:
    """The last part of a dotted name: ``typing.List`` and ``List`` are the same."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def called_name(node: ast.expr) -> str:
    """The name of ``@name`` and ``@name(…)``."""
    return last_name(node.func if isinstance(node, ast.Call) else node)


def elements(node: ast.Subscript) -> list[ast.expr]:
    """What stands between the brackets."""
    return list(node.slice.elts) if isinstance(node.slice, ast.Tuple) and node.slice.elts else [node.slice]


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _is_field(item: ast.AnnAssign, target: ast.Name) -> bool:
    plain = item.annotation.value if isinstance(item.annotation, ast.Subscript) else item.annotation
    return last_name(plain) != "ClassVar" and target.id != "model_config" and not target.id.startswith("_")


def _calls(item: ast.AnnAssign) -> list[ast.Call]:
    """``Field(…)`` or ``field(…)`` as the value, or within ``Annotated[T, …]``."""
    candidates: list[ast.expr | None] = [item.value]
    if isinstance(item.annotation, ast.Subscript) and last_name(item.annotation.value) == "Annotated":
        candidates += elements(item.annotation)[1:]
    return [call for call in candidates if isinstance(call, ast.Call) and called_name(call) in _FIELD_CALLS]


def _keyword(item: ast.AnnAssign, keyword: str) -> str:
    for call in _calls(item):
        for one in call.keywords:
            if one.arg == keyword and isinstance(one.value, ast.Constant) and isinstance(one.value.value, str):
                return one.value.value.strip()
    return ""


def _default(item: ast.AnnAssign) -> ast.expr | None:
    calls = _calls(item)
    if item.value is not None and item.value not in calls:
        return item.value
    for call in calls:
        positional = call.args[:1] if called_name(call) == "Field" else []
        named = [one.value for one in call.keywords if one.arg in {"default", "default_factory"}]
        for value in (*positional, *named):
            if not (isinstance(value, ast.Constant) and value.value is ...):
                return value
    return None
