"""A tool's JSON schema from its Python source, by reading it: the source is never run.

The rules are those of the Letta V1 API: Google-style docstring, a type and a description for every parameter. General
unions and tuples of any length are read here too. All that is wrong is told at once, with places and remedies, fast
enough to run at every keystroke.
"""

import ast
import sys
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from agents_core.errors import Refused
from agents_core.tools import docstring
from agents_core.tools.annotation import Annotations, with_details
from agents_core.tools.mock import mock_arguments

__all__ = ["INJECTED", "Problem", "SchemaError", "ToolSchema", "derive", "mock_arguments", "strictly"]

INJECTED = frozenset({"self", "agent_state", "agent_id", "client"})
"""Parameters of people's tools that the runtime fills in and a model is not told of."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """``line`` counts from 1, ``column`` from 0 in characters. ``message`` says what is wrong and how to mend it."""

    line: int
    column: int
    message: str


class SchemaError(Refused):
    """The source gives no schema. ``data["problems"]`` holds each with line, column and message."""

    code: ClassVar[str] = "invalid_tool_source"


@dataclass(slots=True)
class ToolSchema:
    """What a model is told of a tool. With ``problems``, the rest is as much as could be made out.

    ``injected`` names the parameters that the runtime has to fill in. ``warnings`` keep nobody from saving.
    """

    name: str = ""
    description: str = ""
    parameters: dict[str, Any] = field(default_factory=lambda: {"type": "object", "properties": {}, "required": []})
    injected: tuple[str, ...] = ()
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def derive(
    source: str,
    function: str | None = None,
    *,
    modules: Collection[str] = (),
    injected: Collection[str] = INJECTED,
) -> ToolSchema:
    """The schema of ``function``, by default the last public function at the top level. Never raises for bad source.

    ``modules`` can be imported besides the standard library; a model is not told of the parameters ``injected``.
    """
    try:
        return _Reader(source, _parsed(source), modules, injected).read(function)
    except SyntaxError as error:
        column = max(0, (error.offset or 1) - 1)
        return ToolSchema(problems=[Problem(error.lineno or 1, column, f"Python cannot read this: {error.msg}.")])
    except (ValueError, RecursionError, MemoryError) as error:
        return ToolSchema(problems=[Problem(1, 0, f"Python cannot read this: {error}.")])


def strictly(schema: ToolSchema) -> ToolSchema:
    """``schema``. Raises ``SchemaError`` when there is any problem with it."""
    if schema.problems:
        told = [{"line": one.line, "column": one.column, "message": one.message} for one in schema.problems]
        summary = " ".join(f"Line {one.line}: {one.message}" for one in schema.problems[:5])
        raise SchemaError(f"The tool has no schema. {summary}", problems=told)
    return schema


def _parsed(source: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # An invalid escape would be printed at every keystroke.
        return ast.parse(source)


class _Reader:
    def __init__(self, source: str, module: ast.Module, modules: Collection[str], injected: Collection[str]) -> None:
        self._lines = source.splitlines()
        self._module = module
        self._modules = modules
        self._injected = injected
        self._schema = ToolSchema()
        self._annotations = Annotations.of(module, self._problem)

    def read(self, wanted: str | None) -> ToolSchema:
        self._warn_of_packages()
        if function := self._choose(wanted):
            self._read_function(function)
        self._schema.problems = sorted(set(self._schema.problems))
        return self._schema

    def _choose(self, wanted: str | None) -> _Function | None:
        functions = [node for node in self._module.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
        public = [node for node in functions if not node.name.startswith("_")]
        chosen = [node for node in functions if node.name == wanted] if wanted else public
        if chosen:
            return chosen[-1]
        if wanted:
            known = ", ".join(f"`{node.name}`" for node in public) or "none"
            self._problem(self._module, f"There is no function `{wanted}` at the top level; there is: {known}.")
        else:
            self._problem(
                self._module, "There is no function: write `def my_tool(text: str) -> str:` at the left margin."
            )
        return None

    def _read_function(self, function: _Function) -> None:
        text = ast.get_docstring(function) or ""
        described = docstring.parse(text)
        self._schema.name, self._schema.description = function.name, described.description
        parameters = self._parameters(function)
        if not text:
            self._problem(
                function,
                f"`{function.name}` has no docstring: say on its first line what the tool does"
                + (", then each parameter under `Args:`." if parameters else "."),
            )
        elif not described.description:
            self._problem(function, "The docstring does not say what the tool does: begin it with one line that does.")
        self._warn_of_strangers(function, described.arguments)
        for argument, default in parameters:
            self._read_parameter(argument, default, described.arguments, has_docstring=bool(text))

    def _parameters(self, function: _Function) -> list[tuple[ast.arg, ast.expr | None]]:
        """Those a model fills in, with their defaults. The others are noted or reported."""
        spec = function.args
        positional = [*spec.posonlyargs, *spec.args]
        defaults: list[ast.expr | None] = [None] * (len(positional) - len(spec.defaults)) + list(spec.defaults)
        for argument in spec.posonlyargs:
            self._problem(argument, f"`{argument.arg}` cannot be passed by name: remove the `/` from the parameters.")
        for star, rest in (("*", spec.vararg), ("**", spec.kwarg)):
            if rest:
                self._problem(rest, f"`{star}{rest.arg}` cannot be told to a model: name each parameter.")
        both = [*zip(positional, defaults, strict=True), *zip(spec.kwonlyargs, spec.kw_defaults, strict=True)]
        self._schema.injected = tuple(argument.arg for argument, _ in both if argument.arg in self._injected)
        return [(argument, default) for argument, default in both if argument.arg not in self._injected]

    def _read_parameter(
        self, argument: ast.arg, default: ast.expr | None, described: dict[str, str], *, has_docstring: bool
    ) -> None:
        name, annotation = argument.arg, argument.annotation
        description = described.get(name, "")
        if not description and has_docstring:
            self._problem(argument, f"`{name}` has no description: add `{name}: …` under `Args:` in the docstring.")
        if annotation is None:
            self._problem(argument, f"`{name}` has no type: write `{name}: str`, or what it is.")
        schema = self._annotations.schema(annotation) if annotation else {}
        detailed = with_details(schema, description, self._annotations.member_value(default))
        self._schema.parameters["properties"][name] = detailed
        if default is None and not (annotation and self._annotations.is_optional(annotation)):
            self._schema.parameters["required"].append(name)
        if default is not None and "default" not in detailed and not _is_none(default):
            self._warning(default, f"The default of `{name}` is no plain value, so the model is not told of it.")

    def _warn_of_strangers(self, function: _Function, described: dict[str, str]) -> None:
        spec = function.args
        known = {argument.arg for argument in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs)}
        known |= {argument.arg for argument in (spec.vararg, spec.kwarg) if argument}
        for name in described.keys() - known:
            self._warning(function, f"The docstring describes `{name}`, which is no parameter.")

    def _warn_of_packages(self) -> None:
        for name, node in imported_modules(self._module):
            if name not in sys.stdlib_module_names and name not in self._modules:
                self._warning(
                    node, f"`{name}` is not in the standard library: name its package among the tool's requirements."
                )

    def _problem(self, node: ast.AST, message: str) -> None:
        self._schema.problems.append(self._at(node, message))

    def _warning(self, node: ast.AST, message: str) -> None:
        self._schema.warnings.append(self._at(node, message))

    def _at(self, node: ast.AST, message: str) -> Problem:
        """The syntax tree counts columns in UTF-8 bytes; editors count characters."""
        line, offset = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        return Problem(line, len(text.encode()[:offset].decode(errors="ignore")), message)


def imported_modules(module: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """The first name of each module that is imported anywhere in the source, and where."""
    for node in ast.walk(module):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        for name in {name.split(".")[0] for name in names}:
            yield name, node


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
