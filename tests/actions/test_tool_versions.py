"""Every change of a tool is kept, and can be taken back."""

import pytest

from agents_core.actions import tools
from agents_core.errors import Conflict, NotFound
from agents_core.models import Author, Tool, ToolVersion

pytestmark = pytest.mark.django_db


def source(name: str, body: str) -> str:
    return f'def {name}(topic: str) -> str:\n    """Says.\n\n    Args:\n        topic: what\n    """\n    {body}\n'


def made(name: str = "say", body: str = "return topic") -> Tool:
    return tools.get(tools.upsert({"source_code": source(name, body)}).id)


def told(tool: Tool) -> list[tuple[int, str]]:
    return list(ToolVersion.objects.filter(tool=tool).values_list("number", "author"))


def test_each_change_of_the_code_or_the_requirements_is_a_version_with_its_author() -> None:
    tool = made()
    tools.modify(tool.id, {"source_code": source("say", "return topic * 2")}, author=Author.PERSON)
    tools.modify(tool.id, {"pip_requirements": [{"name": "requests"}]})
    tools.upsert({"source_code": source("say", "return topic * 3")}, author=Author.PERSON)
    assert told(tool) == [(1, "api"), (2, "person"), (3, "api"), (4, "person")]
    assert [bool(version.pip_requirements) for version in tool.versions.all()] == [False, False, True, True]


def test_what_changes_neither_code_nor_schema_is_no_version() -> None:
    tool = made()
    tools.modify(tool.id, {"tags": ["travel"], "return_char_limit": 10})
    tools.modify(tool.id, {"source_code": tool.source_code})
    tools.upsert({"source_code": tool.source_code})
    assert told(tool) == [(1, "api")]


def test_rolling_back_brings_name_code_and_schema_back_as_a_new_version() -> None:
    tool = made("say")
    first = tool.json_schema
    tools.modify(tool.id, {"source_code": source("shout", "return topic.upper()")})
    back = tools.roll_back(tool.id, 1, author=Author.PERSON)
    assert (back.name, back.source_code, back.json_schema) == ("say", tool.source_code, first)
    assert told(tool) == [(1, "api"), (2, "api"), (3, "person")]


def test_rolling_back_gives_back_the_parameters_that_the_author_gave() -> None:
    tool = made()
    given = {"type": "object", "properties": {"topic": {"type": "string", "enum": ["tea"]}}, "required": ["topic"]}
    tools.modify(tool.id, {"args_json_schema": given})
    back = tools.roll_back(tool.id, 1)
    assert (back.args_json_schema, back.json_schema) == (None, tool.json_schema)
    assert tools.roll_back(tool.id, 2).json_schema["parameters"] == given


def test_rolling_back_is_refused_when_somebody_saved_meanwhile_or_there_is_no_such_version() -> None:
    tool = made()
    tools.modify(tool.id, {"source_code": source("say", "return topic * 2")})
    with pytest.raises(Conflict, match="saved by somebody else"):
        tools.roll_back(tool.id, 1, read_at=tool.updated_at)
    with pytest.raises(NotFound, match="no version 9"):
        tools.roll_back(tool.id, 9)
    assert len(told(tool)) == 2


def test_the_versions_of_a_tool_go_with_it() -> None:
    tool = made()
    tools.delete(tool.id)
    assert not ToolVersion.objects.exists()
