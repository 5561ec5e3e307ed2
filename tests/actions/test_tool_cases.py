"""Cases of a tool: what is right, what is wrong, and what is refused."""

from typing import Any

import pytest

from agents_core.actions import tool_cases, tools
from agents_core.actions.tool_cases import Wanted
from agents_core.errors import InvalidInput, NotFound, Refused
from agents_core.models import Tool, ToolCase
from agents_core.sandbox.base import SandboxOutcome
from tests.running import finish

SOURCE = '''def divide(a: float, b: float) -> dict:
    """Divides.

    Args:
        a: what
        b: by what
    """
    if a < 0:
        raise ValueError("a is below zero")
    return {"quotient": a / b}
'''


FIELDS = {"name": "divide", "source_code": SOURCE}


def returned(value: Any) -> SandboxOutcome:
    return SandboxOutcome("ok", value=value)


@pytest.mark.parametrize(
    ("expectation", "expected", "outcome", "passed"),
    [
        ("returns", None, returned(None), True),
        ("returns", None, SandboxOutcome("error", error="KeyError: 'a'"), False),
        ("equals", {"a": [1, 2.0]}, returned({"a": [1.0, 2]}), True),
        ("equals", [1], returned([True]), False),
        ("equals", {"a": 1}, returned({"a": 1, "b": 2}), False),
        ("equals", "a\x00b", returned("a\x00b"), True),
        ("equals", None, returned(float("nan")), True),
        ("contains", '"a": 1', returned({"a": 1}), True),
        ("contains", "x", returned(["y"]), False),
        ("type", "integer", returned(True), False),
        ("type", "number", returned(3), True),
        ("type", "null", returned(None), True),
        ("raises", "ValueError", SandboxOutcome("error", error="ValueError: no (line 3)"), True),
        ("raises", "ValueError", returned("ValueError"), False),
        ("raises", "", SandboxOutcome("timeout", error="Stopped after 10 s, the call's limit."), False),
    ],
)
def test_an_outcome_meets_an_expectation_as_json_and_never_by_running_out(
    expectation: str, expected: Any, outcome: SandboxOutcome, passed: bool
) -> None:
    wanted = Wanted("case", {}, expectation, expected).checked()
    assert tool_cases.verdict(wanted, outcome).passed is passed


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Wanted(" \n ", {}), "name of 1 to 200"),
        (Wanted("x" * 201, {}), "name of 1 to 200"),
        (Wanted("a", {}, "resembles"), "Choose what is expected"),
        (Wanted("a", {}, "type", "list"), "string, integer"),
        (Wanted("a", {}, "type", []), "string, integer"),
        (Wanted("a", {}, "contains", 3), "has to be a text"),
        (Wanted("a", {}, "raises", None), "has to be a text"),
        (Wanted("a", [1]), "JSON object"),
        (Wanted("a", {"text": "x" * 100_000}), "100,000 characters"),
    ],
)
def test_a_case_that_means_nothing_is_refused_with_what_to_write(wanted: Wanted, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        wanted.checked()


def test_what_a_call_gave_is_proposed_as_what_is_right() -> None:
    for outcome in (returned({"a": 1}), SandboxOutcome("error", error="ValueError: no (line 3)")):
        assert tool_cases.verdict(Wanted("a", {}, *tool_cases.proposed(outcome)), outcome).passed
    assert tool_cases.proposed(SandboxOutcome("error", error="ValueError: no (line 3)"))[1] == "ValueError: no"


@pytest.fixture
def tool(db: None) -> Tool:
    return tools.get(tools.upsert({"source_code": SOURCE}).id)


def test_cases_run_together_in_the_sandbox_and_keep_their_order(tool: Tool) -> None:
    wanted = [
        Wanted("halves", {"a": 1, "b": 2}, "equals", {"quotient": 0.5}),
        Wanted("by zero", {"a": 1, "b": 0}, "equals", {"quotient": 0}),
        Wanted("below", {"a": -1, "b": 1}, "raises", "a is below zero"),
    ]
    ran = finish(tool_cases.run_all(wanted, FIELDS))
    assert [(one.name, one.verdict.passed) for one in ran] == [("halves", True), ("by zero", False), ("below", True)]
    assert ran[1].verdict.got.startswith("ZeroDivisionError: ")


def test_an_outcome_is_kept_with_the_version_that_ran(tool: Tool) -> None:
    case = tool_cases.save(tool.id, Wanted("halves", {"a": 1, "b": 2}, "type", "object"))
    ran = finish(tool_cases.run(case, FIELDS))
    tool_cases.remember(case, ran, SOURCE)
    kept = ToolCase.objects.get()
    assert (kept.status, kept.got, kept.ran_version) == ("passed", '{"quotient": 0.5}', 1)
    tool_cases.remember(case, ran, f"{SOURCE}\n")
    assert ToolCase.objects.get().ran_version is None
    tool_cases.save(tool.id, Wanted("halves", {"a": 3, "b": 2}), case.id)
    assert ToolCase.objects.get().status is None


def test_an_outcome_of_a_case_deleted_meanwhile_is_dropped(tool: Tool) -> None:
    case = tool_cases.save(tool.id, Wanted("halves", {"a": 1, "b": 2}))
    ran = finish(tool_cases.run(case, FIELDS))
    tool_cases.delete(tool.id, case.id)
    tool_cases.remember(case, ran, SOURCE)
    assert not ToolCase.objects.exists()


def test_names_are_unique_in_a_tool_and_cases_are_never_anothers(tool: Tool) -> None:
    other = tools.upsert({"source_code": SOURCE.replace("divide", "part")})
    case = tool_cases.save(tool.id, Wanted("same", {}))
    tool_cases.save(other.id, Wanted("same", {}))
    with pytest.raises(Refused, match="choose another name"):
        tool_cases.save(tool.id, Wanted("same", {"a": 1}))
    for attempt in (tool_cases.find, tool_cases.delete):
        with pytest.raises(NotFound, match="no such case"):
            attempt(other.id, case.id)
    with pytest.raises(NotFound):
        tool_cases.save(other.id, Wanted("moved", {}), case.id)


def test_the_number_of_cases_is_bounded(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool_cases, "MOST_CASES", 1)
    case = tool_cases.save(tool.id, Wanted("one", {}))
    with pytest.raises(Refused, match="delete one first"):
        tool_cases.save(tool.id, Wanted("two", {}))
    tool_cases.save(tool.id, Wanted("renamed", {}), case.id)
