"""The tools that are part of the product: what they offer, and that their dates mean what a person means."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from agents_core.runtime.policy import _POLICIES
from agents_core.tools.base import BUILTIN_TOOLS, ToolContext, ToolDefinition, ToolError, builtin_definitions

DEFINITIONS = {definition.name: definition for definition in builtin_definitions()}


@pytest.mark.parametrize("definition", DEFINITIONS.values(), ids=lambda definition: definition.name)
def test_each_tool_describes_itself_and_every_argument(definition: ToolDefinition) -> None:
    assert definition.description
    assert definition.json_schema["name"] == definition.name
    properties = definition.parameters["properties"]
    assert "ctx" not in properties
    assert all(facts.get("description") for facts in properties.values())
    assert set(definition.parameters.get("required", [])) <= set(properties)


def test_the_registry_and_the_definitions_name_the_same_tools() -> None:
    assert set(DEFINITIONS) == set(BUILTIN_TOOLS)


def test_every_kind_of_agent_starts_with_tools_that_exist() -> None:
    assert {name for policy in _POLICIES.values() for name in policy.base_tools} <= set(DEFINITIONS)


def test_only_tools_that_change_nothing_run_side_by_side() -> None:
    parallel = {name for name, definition in DEFINITIONS.items() if definition.parallel}
    assert parallel == {
        "conversation_search",
        "conversation_search_date",
        "archival_memory_search",
        "search_memory",
        "run_code",
        "web_search",
        "fetch_webpage",
        "grep_files",
        "semantic_search_files",
    }


def context(zone: str = "Europe/Berlin") -> ToolContext:
    return ToolContext("agent-1", "step-1", "call-1", ZoneInfo(zone), {}, None, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "end_of_day", "utc"),
    [
        ("2026-03-04", False, datetime(2026, 3, 3, 23, tzinfo=UTC)),
        ("2026-03-04", True, datetime(2026, 3, 4, 22, 59, 59, 999_999, tzinfo=UTC)),
        (" 2026-03-04 ", True, datetime(2026, 3, 4, 22, 59, 59, 999_999, tzinfo=UTC)),
        ("2026-07-04T17:30", False, datetime(2026, 7, 4, 15, 30, tzinfo=UTC)),
        ("2026-07-04T17:30", True, datetime(2026, 7, 4, 15, 30, tzinfo=UTC)),
        ("2026-07-04T17:30:00Z", False, datetime(2026, 7, 4, 17, 30, tzinfo=UTC)),
        ("2026-07-04T17:30-05:00", False, datetime(2026, 7, 4, 22, 30, tzinfo=UTC)),
    ],
)
def test_a_date_is_the_agents_own_and_its_end_is_the_end_of_that_day(
    text: str, end_of_day: bool, utc: datetime
) -> None:
    assert context().moment(text, end_of_day=end_of_day) == utc


@pytest.mark.parametrize("text", [None, "", "  "])
def test_no_date_is_no_limit(text: str | None) -> None:
    assert context().moment(text) is None


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "04.03.2026", "3.5"])
def test_what_is_no_date_is_told_with_how_to_write_one(text: str) -> None:
    with pytest.raises(ToolError, match="Write it as 2026-03-04"):
        context().moment(text)
