"""Calls made from a schema: what they hold, and which of them are faults."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents_core.sandbox.base import SandboxOutcome
from agents_core.tools import probe as probing
from agents_core.tools.clues import Clues, clues
from agents_core.tools.probe import Probed, probe
from agents_core.tools.schema import derive
from agents_core.tools.strategies import arguments

SOURCE = '''
from typing import Literal

def book(city: str, nights: int, board: Literal["half", "full"], guests: list[str], rate: float = 1.5, note: str | None = None) -> str:
    """Books.

    Args:
        city: where
        nights: how many
        board: which
        guests: names
        rate: a night
        note: what else
    """
'''


@settings(max_examples=50)
@given(st.data())
def test_arguments_are_what_the_schema_allows(data: st.DataObject) -> None:
    made = data.draw(arguments(derive(SOURCE).parameters))
    assert made.keys() >= {"city", "nights", "board", "guests"}
    assert isinstance(made["city"], str)
    assert isinstance(made["nights"], int)
    assert made["board"] in {"half", "full"}
    assert all(isinstance(guest, str) for guest in made["guests"])
    assert isinstance(made.get("rate", 1.5), float)
    assert made.get("note") is None or isinstance(made["note"], str)


SCHEMAS: list[tuple[dict[str, Any], Any]] = [
    ({"type": "integer", "minimum": 3, "exclusiveMaximum": 5}, lambda value: value in {3, 4}),
    ({"type": "number", "exclusiveMinimum": 0, "maximum": 1}, lambda value: 0 < value <= 1),
    ({"type": "integer", "minimum": 10_000_000}, lambda value: value >= 10_000_000),
    ({"type": "string", "minLength": 2, "maxLength": 3}, lambda value: 2 <= len(value) <= 3),
    ({"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 2}, lambda value: 1 <= len(value) <= 2),
    ({"type": "array", "prefixItems": [{"type": "null"}, {"const": 7}]}, lambda value: value == [None, 7]),
    ({"anyOf": [{"type": "null"}, {"enum": [1]}]}, lambda value: value in {None, 1}),
    ({"type": ["null", "boolean"]}, lambda value: value in {None, True, False}),
    (
        {"type": "object", "additionalProperties": {"type": "boolean"}},
        lambda value: set(value.values()) <= {True, False},
    ),
    ({"$ref": "#/$defs/word"}, lambda value: value == "word"),
    ({"type": "unheard of"}, lambda _: True),
    ({"type": "integer", "minimum": 5, "maximum": 1}, lambda value: value == 5),
    ({"type": "string", "minLength": "x"}, lambda value: isinstance(value, str)),
]


@pytest.mark.parametrize(("schema", "fits"), SCHEMAS)
def test_each_part_of_a_schema_is_kept_to(schema: dict[str, Any], fits: Any) -> None:
    root = {"type": "object", "properties": {"x": schema}, "required": ["x"], "$defs": {"word": {"const": "word"}}}

    @settings(max_examples=20, database=None)
    @given(arguments(root))
    def holds(made: dict[str, Any]) -> None:
        assert fits(made["x"])

    holds()


NUMBERS = {
    "type": "object",
    "properties": {"n": {"type": "integer"}, "text": {"type": "string"}},
    "required": ["n", "text"],
}
OK = SandboxOutcome("ok", value=1)


def test_the_counter_example_is_as_small_as_it_can_be() -> None:
    def call(args: dict[str, Any]) -> SandboxOutcome:
        return SandboxOutcome("error", error="IndexError: list index out of range (line 3)") if args["n"] > 17 else OK

    found = probe(call, NUMBERS, Clues()).found
    assert found is not None
    assert found.arguments == {"n": 18, "text": ""}
    assert found.outcome.error.startswith("IndexError")


def test_a_smaller_example_of_another_fault_is_not_taken() -> None:
    def call(args: dict[str, Any]) -> SandboxOutcome:
        if args["n"] > 100:
            return SandboxOutcome("timeout", error="Stopped after 2 s, the call's limit.")
        return SandboxOutcome("error", error="KeyError: 1") if args["n"] > 50 else OK

    found = probe(call, NUMBERS, Clues()).found
    assert found is not None
    assert found.arguments["n"] == (101 if found.outcome.status == "timeout" else 51)


def test_what_the_tool_raises_itself_is_no_fault() -> None:
    source = "def f(n, text):\n    if n < 5:\n        raise ValueError(\n            'too few'\n        )\n    return 1 / 0\n"
    refused = SandboxOutcome("error", error="ValueError: too few (line 4)")
    outcome = probe(lambda _: refused, NUMBERS, clues(source))
    assert (outcome.found, outcome.refused) == (None, outcome.calls)
    assert outcome.calls > 20
    assert probe(lambda _: SandboxOutcome("error", error="ZeroDivisionError: x (line 6)"), NUMBERS, clues(source)).found


def test_a_search_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "_MOST_S", 0.0)
    assert probe(lambda _: OK, NUMBERS, Clues()).calls <= 1


def test_an_error_of_the_machine_ends_the_search_and_is_raised() -> None:
    calls = []

    def call(args: dict[str, Any]) -> SandboxOutcome:
        calls.append(args)
        raise ConnectionError("no sandbox")

    with pytest.raises(ConnectionError, match="no sandbox"):
        probe(call, NUMBERS, Clues())
    assert len(calls) == 1


def test_a_tool_without_arguments_is_called_once() -> None:
    assert probe(lambda _: OK, {"type": "object", "properties": {}}, Clues()) == Probed(
        1, 0, pytest.approx(0, abs=9), None
    )


def test_literals_of_the_source_and_of_known_calls_are_tried() -> None:
    def call(args: dict[str, Any]) -> SandboxOutcome:
        return SandboxOutcome("error", error="KeyError: x") if args["text"] in reached else OK

    for reached in ({"in the source"}, {"in a case"}):
        found = probe(call, NUMBERS, clues("WORD = 'in the source'"), [{"text": "in a case", "n": 1}]).found
        assert found is not None
        assert found.arguments["text"] in reached
    source = "def f(n): return 1 / (n - 471_103) if n != float('inf') else True"
    fault = SandboxOutcome("error", error="ZeroDivisionError: division by zero (line 1)")
    found = probe(lambda args: fault if args["n"] == 471_103 else OK, NUMBERS, clues(source)).found
    assert found is not None


def test_known_calls_are_tried_with_another_value() -> None:
    fields = {name: {"type": "string"} for name in "abc"}
    parameters = {"type": "object", "properties": {**fields, "n": {"type": "integer"}}, "required": [*"abc"]}

    def call(args: dict[str, Any]) -> SandboxOutcome:
        deep = [args[name] for name in "abc"] == ["one", "two", "three"] and args.get("n", 7) != 7
        return SandboxOutcome("error", error="KeyError: x") if deep else OK

    known = [{"a": "one", "b": "two", "c": "three", "n": 7}, {"a": "of another schema"}, {"gone": 1}]
    found = probe(call, parameters, Clues(), known).found
    assert found is not None
    assert found.arguments["c"] == "three"
