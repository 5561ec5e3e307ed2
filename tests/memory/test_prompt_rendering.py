from datetime import UTC, datetime

from agents_core.memory.render import (
    LINE_NUMBERS_NOTICE,
    AgentFacts,
    BlockFacts,
    MetadataFacts,
    PromptPart,
    compile_system,
    numbers_lines,
)
from agents_core.models import AgentKind, SegmentKind

METADATA = MetadataFacts(datetime(2026, 5, 4, 15, 30, tzinfo=UTC))
HUMAN = BlockFacts("block-1", "human", "Name: Ana\nLikes tea", 100, "About the person.")
RULES = BlockFacts("block-2", "policy", "Be kind.", 50, read_only=True)

METADATA_TEXT = """<memory_metadata>
- AGENT_ID: agent-1
- CONVERSATION_ID: default
- System prompt last recompiled: 2026-05-04 03:30:00 PM UTC+0000
- 0 earlier messages can be found in recall memory
</memory_metadata>"""

WHOLE = f"""You are Ada.

<memory_blocks>
These blocks are your core memory: always in view, and yours to change with the memory tools.

<human>
<description>
About the person.
</description>
<metadata>
- chars_current=19
- chars_limit=100
</metadata>
<value>
Name: Ana
Likes tea
</value>
</human>

<policy>
<description>

</description>
<metadata>
- read_only=true
- chars_current=8
- chars_limit=50
</metadata>
<value>
Be kind.
</value>
</policy>

</memory_blocks>

<tool_usage_rules>
These rules decide which tools may be called, and when. A call that breaks one is refused.
<tool_rule>
send_message ends your turn.
</tool_rule>
</tool_usage_rules>

{METADATA_TEXT}"""


def text(parts: list[PromptPart]) -> str:
    return "".join(part.text for part in parts)


def test_the_prompt_holds_instructions_blocks_rules_and_metadata_in_this_order() -> None:
    parts = compile_system(
        AgentFacts("agent-1", "You are Ada."), [HUMAN, RULES], ["send_message ends your turn."], METADATA
    )
    assert text(parts) == WHOLE
    assert [(part.kind, part.source_id, part.label) for part in parts] == [
        (SegmentKind.SYSTEM, "", "instructions"),
        (SegmentKind.SYSTEM, "", "memory_blocks"),
        (SegmentKind.CORE, "block-1", "human"),
        (SegmentKind.CORE, "block-2", "policy"),
        (SegmentKind.SYSTEM, "", "memory_blocks"),
        (SegmentKind.RULES, "", "tool_usage_rules"),
        (SegmentKind.METADATA, "", "memory_metadata"),
    ]


def test_memory_stands_where_the_placeholder_is() -> None:
    parts = compile_system(AgentFacts("agent-1", "Before {CORE_MEMORY} after"), [], [], METADATA)
    assert text(parts) == f"Before {METADATA_TEXT} after"


def test_without_blocks_there_is_no_memory_section() -> None:
    assert text(compile_system(AgentFacts("agent-1", "Hi."), [], [], METADATA)) == f"Hi.\n\n{METADATA_TEXT}"


def test_an_agent_that_shows_no_memory_gets_no_blocks() -> None:
    parts = compile_system(AgentFacts("agent-1", "Hi.", shows_memory=False), [HUMAN], [], METADATA)
    assert text(parts) == f"Hi.\n\n{METADATA_TEXT}"


def test_empty_instructions_leave_no_blank_lines() -> None:
    assert text(compile_system(AgentFacts("agent-1", ""), [], [], METADATA)) == METADATA_TEXT


def test_numbered_lines_come_with_a_warning_and_count_the_plain_text() -> None:
    shown = text(compile_system(AgentFacts("agent-1", "", numbered_lines=True), [HUMAN], [], METADATA))
    assert f"<warning>\n{LINE_NUMBERS_NOTICE}\n</warning>\n<value>\n1→ Name: Ana\n2→ Likes tea\n</value>" in shown
    assert "chars_current=19" in shown


def test_only_some_kinds_on_anthropic_see_numbered_lines() -> None:
    assert numbers_lines(AgentKind.V1, "anthropic")
    assert not numbers_lines(AgentKind.V1, "openai")
    assert not numbers_lines(AgentKind.MEMGPT, "anthropic")


def test_metadata_tells_of_conversation_passages_and_tags() -> None:
    facts = MetadataFacts(METADATA.compiled_at, "conv-1", 1, 2, ["work", "home"])
    shown = text(compile_system(AgentFacts("agent-1", ""), [], [], facts))
    assert "- CONVERSATION_ID: conv-1\n" in shown
    assert "- 1 earlier message can be" in shown
    assert "- 2 passages can be" in shown
    assert "- Available archival memory tags: work, home\n" in shown


def test_changing_one_block_changes_only_its_part() -> None:
    agent = AgentFacts("agent-1", "You are Ada.")
    other = BlockFacts("block-1", "human", "Name: Bea", 100)
    before, after = (compile_system(agent, [block, RULES], [], METADATA) for block in (HUMAN, other))
    assert [old.label for old, new in zip(before, after, strict=True) if old != new] == ["human"]
