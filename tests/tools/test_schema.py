"""The JSON schema of a tool, read from its source."""

import textwrap
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents_core.errors import InvalidInput
from agents_core.tools.schema import SchemaError, derive, mock_arguments, strictly

WEATHER = '''
import json

def _helper(x):
    return x

def get_weather(city: str, days: int = 3, unit: "Literal['c', 'f']" = "c", agent_state=None) -> str:
    """Tell the weather of a city.

    Looks some days ahead. Knows
    the larger cities only.

    Args:
        city (str): The city's name,
            in English.
        days: How many days: one, two
        unit: Celsius or Fahrenheit.

    Returns:
        str: A sentence.

    Examples:
        get_weather("Oslo")
    """
    return ""
'''


def _of(annotation: str, before: str = "", default: str = "") -> dict[str, Any]:
    """The schema of one parameter."""
    source = f'{before}\ndef f(x: {annotation}{default}):\n    """Do.\n\n    Args:\n        x: It.\n    """\n'
    schema = derive(source)
    assert schema.problems == []
    properties = schema.parameters["properties"]["x"]
    assert properties.pop("description") == "It."
    return dict(properties)


def _problems(source: str, function: str | None = None) -> list[tuple[int, int, str]]:
    return [(one.line, one.column, one.message) for one in derive(textwrap.dedent(source), function).problems]


def test_schema_holds_what_signature_and_docstring_say() -> None:
    schema = derive(WEATHER)
    assert (schema.problems, schema.warnings) == ([], [])
    assert schema.name == "get_weather"
    assert schema.description == (
        "Tell the weather of a city.\n\nLooks some days ahead. Knows\nthe larger cities only.\n\n"
        'Examples:\n    get_weather("Oslo")'
    )
    assert schema.parameters == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "The city's name, in English."},
            "days": {"type": "integer", "description": "How many days: one, two", "default": 3},
            "unit": {
                "type": "string",
                "enum": ["c", "f"],
                "description": "Celsius or Fahrenheit.",
                "default": "c",
            },
        },
        "required": ["city"],
    }
    assert schema.injected == ("agent_state",)


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        ("str", {"type": "string"}),
        ("int", {"type": "integer"}),
        ("float", {"type": "number"}),
        ("bool", {"type": "boolean"}),
        ("list", {"type": "array", "items": {"type": "string"}}),
        ("List", {"type": "array", "items": {"type": "string"}}),
        ("list[int]", {"type": "array", "items": {"type": "integer"}}),
        ("typing.List[List[float]]", {"type": "array", "items": {"type": "array", "items": {"type": "number"}}}),
        ("dict", {"type": "object"}),
        ("Dict[str, int]", {"type": "object", "additionalProperties": {"type": "integer"}}),
        (
            "tuple[int, str]",
            {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2, "maxItems": 2},
        ),
        ("tuple[int, ...]", {"type": "array", "items": {"type": "integer"}}),
        ("Literal['a', 'b']", {"type": "string", "enum": ["a", "b"]}),
        ("Literal[1, 2]", {"type": "integer", "enum": [1, 2]}),
        ("Literal['a', 1]", {"enum": ["a", 1]}),
        ("Any", {}),
        ("Optional[int]", {"type": "integer"}),
        ("int | None", {"type": "integer"}),
        ("'int | None'", {"type": "integer"}),
        ("Union[int, str]", {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        ("int | str | None", {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        ("Annotated[int, 'x']", {"type": "integer"}),
    ],
)
def test_types_become_json_schema(annotation: str, schema: dict[str, Any]) -> None:
    assert _of(annotation) == schema


@pytest.mark.parametrize(
    ("annotation", "default", "required"),
    [
        ("str", "", True),
        ("str", " = 'a'", False),
        ("Optional[str]", "", False),
        ("str | None", "", False),
        ("Union[str, None]", "", False),
        ("'str | None'", "", False),
        ("Maybe", "", False),
        ("int | str", "", True),
    ],
)
def test_required_is_what_has_no_default_and_cannot_be_none(annotation: str, default: str, required: bool) -> None:
    source = f'Maybe = str | None\ndef f(x: {annotation}{default}):\n    """Do.\n\n    Args:\n        x: It.\n    """'
    assert derive(source).parameters["required"] == (["x"] if required else [])


@pytest.mark.parametrize(
    ("default", "schema"),
    [
        (" = 7", {"type": "integer", "default": 7}),
        (" = -7", {"type": "integer", "default": -7}),
        (" = None", {"type": "integer"}),
        (" = LIMIT", {"type": "integer"}),
        (" = float('nan')", {"type": "integer"}),
    ],
)
def test_defaults_are_told_where_they_are_plain_values(default: str, schema: dict[str, Any]) -> None:
    assert _of("int", default=default) == schema


def test_pydantic_models_are_nested_with_their_fields() -> None:
    before = '''
from enum import Enum
from pydantic import BaseModel, Field

class Kind(str, Enum):
    HOME = "home"
    WORK = "work"

class Base(BaseModel):
    id: int = Field(..., description="A number.")

class Address(Base):
    """Where somebody lives.

    Attributes:
        street: With the number.
    """
    model_config = {}
    street: str
    kind: Kind = Field(Kind.HOME, description="Of what kind.")
    notes: list[str] = Field(default_factory=list, description="Anything.")
    floor: Annotated[int, Field(description="From 0.")] = 0
    door: str | None = Field(None, description="If any.")
'''
    assert _of("list[Address]", before)["items"] == {
        "type": "object",
        "description": "Where somebody lives.",
        "properties": {
            "id": {"type": "integer", "description": "A number."},
            "street": {"type": "string", "description": "With the number."},
            "kind": {
                "type": "string",
                "enum": ["home", "work"],
                "description": "Of what kind.",
                "default": "home",
            },
            "notes": {"type": "array", "items": {"type": "string"}, "description": "Anything."},
            "floor": {"type": "integer", "description": "From 0.", "default": 0},
            "door": {"type": "string", "description": "If any."},
        },
        "required": ["id", "street"],
    }


RECORDS = '''
from dataclasses import dataclass, field
from enum import Enum
from typing import NotRequired, TypedDict

class Size(Enum):
    SMALL = "s"
    LARGE = "l"

@dataclass(frozen=True)
class Line:
    """One line of an order.

    Attributes:
        item: What.
        size: How large.
        notes: Remarks.
        count: How many.
    """
    item: str
    size: Size
    notes: list[str] = field(default_factory=list)
    count: int = 1

class Address(TypedDict):
    """Where to.

    Attributes:
        street: With number.
        floor: From the ground.
    """
    street: str
    floor: NotRequired[int]

def order(lines: list[Line], to: dict[str, Address], by: Address | str | None = None) -> str:
    """Order.

    Args:
        lines: The lines.
        to: By name.
        by: Who, or where.
    """
'''


def test_dataclasses_and_typed_dicts_are_told_with_their_fields_at_any_depth() -> None:
    schema = derive(RECORDS)
    assert schema.problems == []
    line = {
        "type": "object",
        "description": "One line of an order.",
        "properties": {
            "item": {"type": "string", "description": "What."},
            "size": {"type": "string", "enum": ["s", "l"], "description": "How large."},
            "notes": {"type": "array", "items": {"type": "string"}, "description": "Remarks."},
            "count": {"type": "integer", "description": "How many.", "default": 1},
        },
        "required": ["item", "size"],
    }
    address = {
        "type": "object",
        "description": "Where to.",
        "properties": {
            "street": {"type": "string", "description": "With number."},
            "floor": {"type": "integer", "description": "From the ground."},
        },
        "required": ["street"],
    }
    assert schema.parameters["properties"] == {
        "lines": {"type": "array", "items": line, "description": "The lines."},
        "to": {"type": "object", "additionalProperties": address, "description": "By name."},
        "by": {"anyOf": [address, {"type": "string"}], "description": "Who, or where."},
    }
    assert schema.parameters["required"] == ["lines", "to"]


def test_a_default_that_is_a_member_of_an_enum_is_told_as_its_value() -> None:
    source = RECORDS.replace("by: Address | str | None = None", "by: Size = Size.LARGE, or_by: Size = Size.NONE")
    schema = derive(source.replace("by: Who, or where.", "by: Who.\n        or_by: Who else."))
    assert schema.parameters["properties"]["by"]["default"] == "l"
    assert "default" not in schema.parameters["properties"]["or_by"]
    assert ["or_by" in one.message for one in schema.warnings] == [True]


def test_a_typed_dict_that_is_not_total_asks_for_what_is_required_alone() -> None:
    source = RECORDS.replace("Address(TypedDict)", "Address(TypedDict, total=False)").replace(
        "street: str", "street: Required[str]"
    )
    address = derive(source).parameters["properties"]["to"]["additionalProperties"]
    assert address["required"] == ["street"]
    source = source.replace("Required[str]", "str")
    assert derive(source).parameters["properties"]["to"]["additionalProperties"]["required"] == []


def test_a_field_without_a_description_says_where_to_write_one() -> None:
    schema = derive(RECORDS.replace("        size: How large.\n", ""))
    line = RECORDS.replace("        size: How large.\n", "").splitlines().index("    size: Size") + 1
    assert [(one.line, one.column) for one in schema.problems] == [(line, 4)]
    assert "describe it under `Attributes:`" in schema.problems[0].message


def test_no_one_is_warned_of_a_module_that_the_tools_packages_hold() -> None:
    source = 'import requests, yaml\ndef f():\n    """Do."""'
    assert [one.message.split()[0] for one in derive(source, modules=["requests"]).warnings] == ["`yaml`"]


def test_a_model_is_told_of_all_parameters_but_those_that_the_runtime_fills_in() -> None:
    source = (
        'def f(agent_state, agent_id, client, ctx: str, self=None):\n    """Do.\n\n    Args:\n        ctx: It.\n    """'
    )
    schema = derive(source)
    assert list(schema.parameters["properties"]) == schema.parameters["required"] == ["ctx"]
    assert schema.injected == ("agent_state", "agent_id", "client", "self")


def test_last_public_function_is_the_tool_unless_one_is_named() -> None:
    source = '''
def a():
    """A."""
async def b():
    """B."""
def _c():
    """C."""
class D:
    def d(self):
        pass
'''
    assert derive(source).name == "b"
    assert derive(source, "a").description == "A."
    assert derive(source, "_c").name == "_c"
    assert _problems(source, "e") == [(1, 0, "There is no function `e` at the top level; there is: `a`, `b`.")]


@pytest.mark.parametrize(
    ("source", "line", "column", "words"),
    [
        ("", 1, 0, "There is no function"),
        ("x = 1", 1, 0, "There is no function"),
        ("def f(:\n  pass", 1, 6, "Python cannot read this: invalid syntax."),
        ("def f():\n  return '", 2, 9, "unterminated string"),
        ("x = '\0'", 1, 0, "null bytes"),
        ("x = " + "(" * 500, 1, 204, "too many nested"),
        ("def f():\n    pass", 1, 0, "no docstring"),
        ('def f():\n    """\n    Returns:\n        x\n    """', 1, 0, "does not say what the tool does"),
        ('def f(x: int):\n    """Do."""', 1, 6, "`x` has no description"),
        ('def f(x):\n    """Do.\n\n    Args:\n        x: It.\n    """', 1, 6, "`x` has no type"),
        ('def f(*x):\n    """Do."""', 1, 7, "`*x` cannot be told to a model"),
        ('def f(**x):\n    """Do."""', 1, 8, "`**x` cannot be told to a model"),
        ('def f(é: datetime):\n    """Do.\n\n    Args:\n        é: It.\n    """', 1, 9, "use str, and say"),
        ('def f(x: Foo):\n    """Do.\n\n    Args:\n        x: It.\n    """', 1, 9, "Type `Foo` cannot be told"),
        ('def f(x: tuple):\n    """Do.\n\n    Args:\n        x: It.\n    """', 1, 9, "tuple[int, str]"),
        ('def f(x: 3):\n    """Do.\n\n    Args:\n        x: It.\n    """', 1, 9, "Literal[3]"),
        (
            'def f(x: Literal[y]):\n    """Do.\n\n    Args:\n        x: It.\n    """',
            1,
            17,
            "`y` cannot stand in a Literal",
        ),
        ('class A:\n    pass\ndef f(x: A):\n    """Do.\n\n    Args:\n        x: It.\n    """', 3, 9, "BaseModel"),
        (
            'class A(BaseModel):\n    b: int\ndef f(x: A):\n    """Do.\n\n    Args:\n        x: It.\n    """',
            2,
            4,
            'Field(description="…")',
        ),
        (
            'class A(BaseModel):\n    a: "A" = Field(description="a")\ndef f(x: A):\n    """Do.\n\n    Args:\n      x: It."""',
            2,
            7,
            "contains itself",
        ),
        ('A = list["A"]\ndef f(x: A):\n    """Do.\n\n    Args:\n        x: It.\n    """', 1, 9, "contains itself"),
    ],
)
def test_problem_says_where_and_how_to_mend_it(source: str, line: int, column: int, words: str) -> None:
    [(found_line, found_column, message)] = _problems(source)
    assert words in message
    assert (found_line, found_column) == (line, column)


def test_all_problems_are_told_at_once_in_order() -> None:
    source = 'def f(a, b: Foo,\n      c: int, /, *rest):\n    """Do.\n\n    Args:\n        a: A.\n    """'
    assert [(line, column) for line, column, _ in _problems(source)] == [
        *((1, 6), (1, 6)),  # No type, and not by name.
        *((1, 9), (1, 9), (1, 12)),  # No description, not by name, a type unknown.
        *((2, 6), (2, 6), (2, 18)),
    ]


def test_source_is_never_run() -> None:
    assert derive('raise SystemExit\ndef f(x: exit() = quit()):\n    """Do."""').name == "f"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('import requests\ndef f():\n    """Do."""', "`requests` is not in the standard library"),
        ('def f():\n    """Do.\n\n    Args:\n        y: It.\n    """\n    import json', "describes `y`"),
        ('def f(x: int = LIMIT):\n    """Do.\n\n    Args:\n        x: It.\n    """', "default of `x`"),
    ],
)
def test_doubts_are_warnings_and_no_problems(source: str, words: str) -> None:
    schema = derive(source)
    assert schema.problems == []
    assert [words in one.message for one in schema.warnings] == [True]


def test_strict_reading_raises_with_every_problem() -> None:
    with pytest.raises(SchemaError) as caught:
        strictly(derive("def f(x):\n    pass"))
    assert isinstance(caught.value, InvalidInput)
    assert caught.value.http_status == 400
    assert [problem["line"] for problem in caught.value.data["problems"]] == [1, 1]
    assert strictly(derive(WEATHER)).name == "get_weather"


@given(st.text() | st.integers(0, len(WEATHER)).map(lambda end: WEATHER[:end]))
def test_no_text_typed_so_far_raises(source: str) -> None:
    derive(source)


@given(st.integers(0, len(WEATHER)), st.text(max_size=5))
def test_no_edit_raises(place: int, typed: str) -> None:
    derive(WEATHER[:place] + typed + WEATHER[place:])


def test_mock_arguments_fill_every_property_with_a_fitting_value() -> None:
    parameters = {
        "$defs": {"Point": {"type": "object", "properties": {"lat": {"type": "number"}}}},
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "user_email": {"type": "string"},
            "when": {"type": "string", "format": "date"},
            "days": {"type": "integer", "default": 3},
            "unit": {"type": "string", "enum": ["c", "f"]},
            "amount": {"type": "number"},
            "score": {"type": "integer", "minimum": 10, "maximum": 20},
            "urls": {"type": "array", "items": {"type": "string"}},
            "pair": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "boolean"}]},
            "either": {"anyOf": [{"type": "null"}, {"type": "boolean"}]},
            "maybe": {"type": ["null", "string"], "maxLength": 3},
            "at": {"$ref": "#/$defs/Point"},
            "anything": {},
        },
    }
    assert mock_arguments(parameters) == {
        "city": "London",
        "user_email": "ada@example.com",
        "when": "2025-06-01",
        "days": 3,
        "unit": "c",
        "amount": 19.9,
        "score": 10,
        "urls": ["https://example.com"],
        "pair": [3, True],
        "either": True,
        "maybe": "exa",
        "at": {"lat": 51.5074},
        "anything": "example",
    }


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"properties": None},
        {"properties": {"a": None, "b": {"enum": []}, "c": {"anyOf": [{"type": "null"}]}, "d": {"type": 7}}},
        {"$defs": {"A": {"$ref": "#/$defs/A"}}, "properties": {"a": {"$ref": "#/$defs/A"}}},
        {
            "$defs": {"A": {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}}},
            "properties": {"a": {"$ref": "#/$defs/A"}},
        },
    ],
)
def test_mock_arguments_take_any_schema(parameters: dict[str, Any]) -> None:
    assert isinstance(mock_arguments(parameters), dict)
