"""The form of mock inputs: made from a schema, kept while the schema changes, read back as arguments."""

import json
from typing import Any

import pytest

from ade.tool_inputs import Inputs
from agents_core.tools.schema import derive

SIGNATURE = """
from typing import Literal, Optional
def f(origin: str, seats: int, share: float, direct: bool, cabin: Literal["economy", "first"], tags: list[str],
      extra: dict, limit: int = 600, note: Optional[str] = None):
    '''Does it.'''
"""


def schema(source: str = SIGNATURE) -> dict[str, Any]:
    return derive(source).parameters


def sent(inputs: Inputs, **typed: str) -> dict[str, str]:
    """As a browser sends the form."""
    post = {"mode": "form", "kept": inputs.kept}
    for one in inputs.fields:
        post |= {f"was.{one.name}": one.mock, f"arg.{one.name}": typed.get(one.name, one.text)}
        if one.sent and not one.required:
            post[f"with.{one.name}"] = "on"
    return post


def test_every_kind_of_parameter_gets_its_field() -> None:
    kinds = [one.kind for one in Inputs.of(schema()).fields]
    assert kinds == ["text", "integer", "number", "boolean", "choice", "json", "json", "integer", "text"]


def test_made_up_inputs_are_accepted_as_they_are() -> None:
    parameters = schema()
    arguments = Inputs.of_post(parameters, sent(Inputs.of(parameters))).arguments()
    assert arguments is not None
    assert (arguments["limit"], arguments["cabin"], arguments["direct"]) == (600, "economy", True)


def test_what_is_left_out_is_not_sent() -> None:
    parameters = schema()
    post = sent(Inputs.of(parameters))
    del post["with.limit"]
    arguments = Inputs.of_post(parameters, post).arguments()
    assert arguments is not None
    assert "limit" not in arguments


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("seats", "many", "a whole number"),
        ("seats", "1.5", "a whole number"),
        ("seats", "", "a whole number"),
        ("seats", "9" * 5000, "a whole number"),
        ("share", "half", "a number"),
        ("share", "nan", "a number"),
        ("share", "1e999", "a number"),
        ("direct", "perhaps", "not JSON"),
        ("cabin", "roof", "one of: economy, first"),
        ("tags", "[1,", "not JSON: expecting value at line 1, column 4"),
        ("tags", "{}", "a JSON list"),
        ("extra", "[]", "a JSON object"),
        ("extra", "[" * 100_000, "too deep"),
    ],
)
def test_a_wrong_text_is_told_at_its_field(name: str, text: str, told: str) -> None:
    inputs = Inputs.of_post(schema(), sent(Inputs.of(schema()), **{name: text}))
    assert inputs.arguments() is None
    assert {one.name: told in one.error for one in inputs.fields if one.error} == {name: True}


def test_what_was_typed_stays_when_the_signature_changes() -> None:
    before = Inputs.of_post(schema(), sent(Inputs.of(schema()), origin="LIS"))
    after = Inputs.of_post(schema(SIGNATURE.replace("origin: str", "origin: str, place: str")), sent(before))
    assert (after.fields[0].name, after.fields[0].text) == ("origin", "LIS")


def test_what_was_typed_comes_back_with_its_parameter() -> None:
    renamed = schema(SIGNATURE.replace("origin", "start"))
    typed = Inputs.of_post(schema(), sent(Inputs.of(schema()), origin="LIS"))
    gone = Inputs.of_post(renamed, sent(typed))
    assert "origin" not in [one.name for one in gone.fields]
    back = Inputs.of_post(schema(), sent(gone))
    assert back.fields[0].text == "LIS"


def test_what_was_typed_and_taken_back_is_gone() -> None:
    typed = Inputs.of_post(schema(), sent(Inputs.of(schema()), limit="many"))
    assert Inputs.of_post(schema(), sent(typed, limit="600")).arguments() is not None


def test_a_made_up_text_follows_a_changed_default() -> None:
    changed = Inputs.of_post(schema(SIGNATURE.replace("600", "700")), sent(Inputs.of(schema())))
    assert next(one.text for one in changed.fields if one.name == "limit") == "700"


def test_real_arguments_fill_the_form_and_leave_out_the_rest() -> None:
    real = {
        "origin": "a\nb",
        "seats": 0,
        "share": 2,
        "direct": False,
        "cabin": "first",
        "tags": [],
        "extra": {"x": [1]},
    }
    inputs = Inputs.of(schema(), real)
    assert inputs.arguments() == real
    assert [one.name for one in inputs.fields if not one.sent] == ["limit", "note"]


def test_json_and_form_say_the_same() -> None:
    inputs = Inputs.of(schema())
    arguments = inputs.arguments()
    raw = inputs.as_raw()
    assert json.loads(raw.raw or "") == arguments
    assert Inputs.of_post(schema(), {"raw": raw.raw or ""}).as_form(schema()).arguments() == arguments


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ("", "Missing: origin"),
        ("[]", "a JSON object"),
        ("{", "not JSON"),
        ('{"nonsense": 1}', "Unknown: nonsense"),
        ('{"origin": 3}', "origin: Write text"),
        ('{"seats": true}', "seats: Write a whole number"),
        ('{"seats": null}', "seats: Write a whole number"),
    ],
)
def test_wrong_json_is_told_and_kept(raw: str, told: str) -> None:
    inputs = Inputs.of_post(schema(), {"raw": raw})
    assert inputs.as_form(schema()) is inputs
    assert told in inputs.raw_error
    assert inputs.raw == raw


def test_odd_fields_of_a_form_do_no_harm() -> None:
    assert Inputs.of_post(schema(), {"kept": "[1", "arg.": "", "arg.unknown": "x"}).arguments() is not None
    assert Inputs.of_post({}, {"kept": "[]"}).arguments() == {}
