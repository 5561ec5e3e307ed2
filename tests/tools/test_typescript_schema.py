"""What is read of a TypeScript source: its schema, and what is wrong with it."""

import hashlib
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from agents_core.tools.clues import clues
from agents_core.tools.languages import Language, derive
from agents_core.tools.schema import ToolSchema
from agents_core.tools.typescript import reading
from agents_core.tools.typescript.reading import HERE, read
from tests.tools.typescript_sources import CALLED, ORDER, tool

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")


def schema_of(source: str) -> ToolSchema:
    return derive(source, Language.TYPESCRIPT)


def told(parameter: str, types: str = "") -> dict[str, Any]:
    """The schema of the one parameter, without its description."""
    schema = schema_of(tool(parameter, types))
    assert schema.problems == []
    [found] = schema.parameters["properties"].values()
    return {name: value for name, value in found.items() if name != "description"}


def test_a_model_is_told_of_the_signature_and_the_comment_above_it() -> None:
    schema = schema_of(ORDER)
    assert (schema.name, schema.problems) == ("order", [])
    assert schema.description == "Orders things.\nTwice.\n\nExamples:\norder([])"
    line = {
        "type": "object",
        "description": "One line of an order.",
        "properties": {
            "line": {"type": "number", "description": "From 1."},
            "item": {"type": "string", "description": "What."},
            "size": {"type": "string", "enum": ["s", "l"], "description": "How large."},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["line", "item", "tags"],
    }
    assert schema.parameters == {
        "type": "object",
        "properties": {
            "lines": {"type": "array", "items": line, "description": "What is wanted,\nin order."},
            "by": {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "Who."},
            "unit": {"type": "string", "enum": ["c", "f"], "default": "c", "description": "Degrees."},
            "prices": {"type": "object", "additionalProperties": {"type": "number"}, "description": "By name."},
            "size": {"type": "string", "default": "s", "description": "How large."},
        },
        "required": ["lines", "by", "prices"],
    }
    assert ["`tags`" in one.message for one in schema.warnings] == [True]


@pytest.mark.parametrize(
    ("written", "schema"),
    [
        ("x: string", {"type": "string"}),
        ("x: `a-${string}`", {"type": "string"}),
        ("x: boolean", {"type": "boolean"}),
        ("x: any", {}),
        ("x: (string | undefined)", {"type": "string"}),
        ("x: 'a' | 2 | null", {"enum": ["a", 2, None]}),
        ("x: 'a' | number", {"anyOf": [{"type": "number"}, {"type": "string", "enum": ["a"]}]}),
        ("x: -1 | 1", {"type": "number", "enum": [-1, 1]}),
        ("x: Array<number[]>", {"type": "array", "items": {"type": "array", "items": {"type": "number"}}}),
        (
            "x: [string, n: number]",
            {"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}], "minItems": 2, "maxItems": 2},
        ),
        ("x: { a: string, b?: any }", {"type": "object", "properties": {"a": {"type": "string"}, "b": {}}, "required": ["a"]}),
        ("x: Partial<{ a: string }>", {"type": "object", "properties": {"a": {"type": "string"}}, "required": []}),
        (
            "x: Record<'a' | 'b', boolean>",
            {"type": "object", "properties": {"a": {"type": "boolean"}, "b": {"type": "boolean"}}, "required": ["a", "b"]},
        ),
        ("x: { [name: string]: any }", {"type": "object", "properties": {}, "required": [], "additionalProperties": {}}),
        (
            "x: { a: 1 } & { b: 2 }",
            {
                "type": "object",
                "properties": {"a": {"type": "number", "enum": [1]}, "b": {"type": "number", "enum": [2]}},
                "required": ["a", "b"],
            },
        ),
        ("x: unknown = { a: [1, 'b'] }", {"default": {"a": [1, "b"]}}),
        ("x: number = -3", {"type": "number", "default": -3}),
    ],
)  # fmt: skip
def test_each_type_is_told_as_json_schema(written: str, schema: dict[str, Any]) -> None:
    assert told(written) == schema


def test_types_of_the_same_source_are_looked_up() -> None:
    assert told("x: E", "enum E { A, B = 5, C }") == {"type": "number", "enum": [0, 5, 6]}
    assert told("x: T", "type T = U[]; type U = 'a';") == {"type": "array", "items": {"type": "string", "enum": ["a"]}}


@pytest.mark.parametrize(
    ("source", "line", "column", "words"),
    [
        ("const x = 1;", 1, 0, "No function is exported"),
        ("function f() {}", 1, 0, "No function is exported"),
        ("/** Do. */\nexport function f(x: string {}", 2, 28, "TypeScript cannot read this: ',' expected."),
        ("export function f(): void {}", 1, 0, "`f` has no description"),
        ("/** Do. */\nexport function f(x: string) {}", 2, 18, "add `@param x …`"),
        (tool("x"), 3, 18, "`x` has no type: write `x: string`"),
        (tool("x: Date"), 3, 21, "use string, and say in its description that it is ISO 8601"),
        (tool("x: Nobody"), 3, 21, "Type `Nobody` cannot be told to a model"),
        (tool("x: () => void"), 3, 21, "`() => void` cannot be told to a model"),
        (tool("x: T", "interface T { inner: T[] }"), 1, 21, "`T` contains itself"),
        (tool("x: T<string>", "type T<U> = U[];"), 3, 21, "`T` takes types itself"),
        (tool("x: { do(): void }"), 3, 23, "an object has named values only"),
        ("/** Do. */\nexport function f(...x: string[]) {}", 2, 18, "name each parameter"),
        ("/** Do. */\nexport function f({ x }: { x: string }) {}", 2, 18, "name each parameter"),
    ],
)
def test_what_keeps_a_model_from_being_told_is_said_with_its_place(
    source: str, line: int, column: int, words: str
) -> None:
    first = schema_of(source).problems[0]
    assert (first.line, first.column) == (line, column)
    assert words in first.message


def test_warnings_keep_nobody_from_saving() -> None:
    source = 'import axios from "axios";\nimport fs from "fs";\n' + tool("x: number = Math.random()").replace(
        "@param", "@param y No. @param"
    )
    schema = schema_of(source)
    assert schema.problems == []
    assert [re.findall(r"`(\w+)`", one.message)[0] for one in schema.warnings] == ["axios", "y", "x"]


def test_the_last_exported_function_is_the_tool_unless_another_is_asked_for() -> None:
    assert read(CALLED).schema.name == "askOld"
    assert read(CALLED, "wait").schema.name == "wait"
    assert "there is: `add`, `fail`" in read(CALLED, "inner").schema.problems[0].message


@pytest.mark.parametrize(
    "source", ["", tool("x: string = '\0'"), "\ud800", "export default 3", "(" * 20_000, "/**", "é" * 1000, "`${"]
)
def test_no_source_breaks_the_reading(source: str) -> None:
    assert schema_of(source).problems


def test_the_clues_of_a_source_are_its_throws_and_its_literals() -> None:
    found = clues(CALLED, Language.TYPESCRIPT)
    lines = CALLED.splitlines()
    assert all("throw" in lines[line - 1] for line in found.raising)
    assert len(found.raising) == 3
    assert {"below zero", 10, "none"} <= found.literals


def test_a_server_without_node_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "node", lambda: None)
    reading.node_path.cache_clear()
    [problem] = schema_of(tool("lonely: string")).problems
    reading.node_path.cache_clear()
    assert problem.message == "TypeScript tools need Node.js 20.15 or later on the server: apt-get install nodejs."


def test_a_node_that_is_too_old_is_told_with_its_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = tmp_path / "node"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo v18.20.4 || exit 9\n')
    old.chmod(0o755)
    monkeypatch.setattr(reading, "node", lambda: old)
    reading.node_path.cache_clear()
    [problem] = schema_of(tool("older: string")).problems
    reading.node_path.cache_clear()
    assert problem.message.endswith("20.15 or later on the server, which has v18.20.4.")


def test_the_vendored_compiler_is_the_one_listed() -> None:
    listed = (HERE / "vendor/README.md").read_text()
    assert hashlib.sha256((HERE / "vendor/typescript.js").read_bytes()).hexdigest() in listed
    assert f"`typescript` {reading.VERSION}" in listed
