"""Names and schemas of foreign servers, as the models of all providers take them."""

import re
from typing import Any

import pytest

from agents_core.tools.mcp.schema import LONGEST_NAME, SchemaUnusable, free_name, usable


def test_a_name_is_kept_where_models_take_it_and_nobody_has_it() -> None:
    assert free_name("get_weather", "weather", set()) == "get_weather"


def test_a_taken_name_gets_that_of_its_server() -> None:
    taken = {"send_message"}
    assert free_name("send_message", "my chat!", taken) == "my_chat_send_message"
    assert free_name("send_message", "my chat!", taken | {"my_chat_send_message"}) == "send_message_2"


@pytest.mark.parametrize("remote", ["look up/the weather!", "n" * 200, "übersetzen", "", "日本", "a.b.c"])
def test_every_name_becomes_one_that_models_take(remote: str) -> None:
    assert re.fullmatch(rf"[A-Za-z0-9_-]{{1,{LONGEST_NAME}}}", free_name(remote, "s" * 100, {"tool"}))


def test_long_names_that_begin_alike_stay_apart() -> None:
    assert free_name("n" * 100 + "a", "s", set()) != free_name("n" * 100 + "b", "s", set())


def test_references_stand_in_place() -> None:
    schema = usable(
        {
            "type": "object",
            "properties": {"place": {"$ref": "#/$defs/Place", "description": "where"}},
            "required": ["place"],
            "$defs": {"Place": {"type": "object", "properties": {"city": {"$ref": "#/definitions/City"}}}},
            "definitions": {"City": {"type": "string", "maxLength": 9}},
        }
    )
    assert schema == {
        "type": "object",
        "required": ["place"],
        "properties": {
            "place": {
                "type": "object",
                "properties": {"city": {"type": "string", "maxLength": 9}},
                "description": "where",
            }
        },
    }


def test_a_schema_that_holds_itself_ends_where_it_begins_again() -> None:
    node = {"type": "object", "properties": {"name": {"type": "string"}, "child": {"$ref": "#/$defs/Node"}}}
    schema = usable({"type": "object", "properties": {"root": {"$ref": "#/$defs/Node"}}, "$defs": {"Node": node}})
    assert schema["properties"]["root"]["properties"]["child"] == {"type": "object"}


@pytest.mark.parametrize(
    ("given", "guessed"),
    [
        ({}, "string"),
        (True, None),
        ({"enum": [1, 2]}, "integer"),
        ({"const": True}, "boolean"),
        ({"default": 0.5}, "number"),
        ({"items": {"type": "string"}}, "array"),
        ({"properties": {}}, "object"),
    ],
)
def test_a_missing_type_is_guessed(given: Any, guessed: str | None) -> None:
    assert usable({"properties": {"x": given}})["properties"]["x"].get("type") == guessed


def test_a_choice_at_the_top_is_offered_side_by_side() -> None:
    by_id = {"properties": {"id": {"type": "integer"}, "kind": {"type": "string"}}, "required": ["id", "kind"]}
    by_name = {"properties": {"name": {"type": "string"}, "kind": {"type": "string"}}, "required": ["name", "kind"]}
    either = usable({"anyOf": [by_id, by_name]})
    assert set(either["properties"]) == {"id", "name", "kind"}
    assert either["required"] == ["kind"]
    assert sorted(usable({"allOf": [by_id, by_name]})["required"]) == ["id", "kind", "name"]


def test_a_choice_within_a_property_stays() -> None:
    choice = {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}
    assert usable({"properties": {"x": choice}})["properties"]["x"] == choice


@pytest.mark.parametrize("empty", [{}, {"type": "object"}, {"type": ["object", "null"]}, {"properties": None}])
def test_a_tool_without_arguments_has_an_empty_object(empty: dict[str, Any]) -> None:
    assert usable(empty) == {"type": "object", "properties": {}, "required": []}


def test_what_no_model_could_use_is_refused_with_the_reason() -> None:
    nested: dict[str, Any] = {"type": "string"}
    for _ in range(5000):
        nested = {"type": "object", "properties": {"x": nested}}
    endless = {f"N{n}": {"properties": {"x": {"$ref": f"#/$defs/N{n + 1}"}}} for n in range(60)}
    for schema, reason in (
        ("text", "no object"),
        (None, "no object"),
        ({"properties": {"x": {"$ref": "#/$defs/Nowhere"}}}, "not in it"),
        ({"properties": {"x": {"$ref": "http://elsewhere/schema"}}}, "not in it"),
        ({"properties": {"x": {"type": "string", "description": "d" * 100_000}}}, "at most 60,000"),
        ({"properties": {"a b": {"type": "string"}}}, "'a b' has a name"),
        ({"properties": {"x": {"$ref": "#/$defs/N0"}}, "$defs": endless}, "without an end"),
        (nested, "cannot be read"),
    ):
        with pytest.raises(SchemaUnusable, match=reason):
            usable(schema)
