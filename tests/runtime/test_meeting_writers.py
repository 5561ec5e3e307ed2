"""A person writes a block while an agent's model is thinking: nothing of either is lost unseen."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from agents_core.actions import blocks
from agents_core.llm.providers.scripted import Answer, Scripted
from agents_core.llm.types import ModelRequest
from agents_core.models import Author, Block, BlockVersion, ToolCall
from tests.runtime.world import make_agent, say, value_of

BEFORE = "Her name is Ada.\nShe lives in Kiel."


def while_thinking(edit: Callable[[], object], answer: Answer) -> Scripted:
    """``answer``, and before it is given ``edit``, by somebody else."""

    def thought(_: ModelRequest) -> Answer:
        def by_another() -> None:
            edit()
            connections.close_all()

        with ThreadPoolExecutor(1) as another:
            another.submit(by_another).result()
        return answer

    return thought


def writes(value: str) -> Callable[[], object]:
    return lambda: blocks.modify(Block.objects.get(label="human").id, {"value": value}, Author.PERSON)


def rethink(text: str) -> Answer:
    return Answer(calls=[("memory_rethink", {"label": "human", "new_memory": text})])


REPLACE = Answer(calls=[("memory_replace", {"label": "human", "old_string": "Kiel", "new_string": "Bremen"})])


@pytest.mark.parametrize(
    ("person", "agent", "both"),
    [
        ("Her name is Eva.\nShe lives in Kiel.", REPLACE, "Her name is Eva.\nShe lives in Bremen."),
        (f"{BEFORE}\nLikes tea.", rethink("Her name is Eva.\nShe lives in Kiel."), "Her name is Eva.\nShe lives in Kiel.\nLikes tea."),
        ("Her name is Eva.\nShe lives in Kiel.", rethink("Her name is Ada."), "Her name is Eva."),
    ],
)  # fmt: skip
async def test_both_changes_hold_where_they_touch_different_words(person: str, agent: Answer, both: str) -> None:
    made = await make_agent(
        [while_thinking(writes(person), agent), "Done."], blocks=[{"label": "human", "value": BEFORE}],
        tools=["memory_rethink", "memory_replace"],
    )  # fmt: skip
    assert (await say(made, "Tidy up.")).status == "completed"
    assert await value_of(made) == both
    authors = BlockVersion.objects.filter(block__agents=made).order_by("version").values_list("author", flat=True)
    assert [author async for author in authors] == ["api", "person", "agent"]


@pytest.mark.parametrize(
    "agent", [REPLACE, rethink("Her name is Ada.\nShe lives in Bremen."), rethink("Somebody wholly other.")]
)
async def test_where_both_changed_the_same_words_the_person_was_first_and_the_agent_is_told(agent: Answer) -> None:
    person = "Her name is Ada.\nShe lives in Lisbon."
    made = await make_agent(
        [while_thinking(writes(person), agent), "I will look again."], blocks=[{"label": "human", "value": BEFORE}],
        tools=["memory_rethink", "memory_replace"],
    )  # fmt: skip
    await say(made, "Tidy up.")
    assert await value_of(made) == person
    call = await ToolCall.objects.aget(agent=made)
    assert call.status == "error"
    assert "changed by somebody else" in (call.result or "") or "not found" in (call.result or "")


async def test_an_agent_alone_rewrites_the_whole(database: None) -> None:
    made = await make_agent(
        [rethink("All anew."), "Done."], blocks=[{"label": "human", "value": BEFORE}], tools=["memory_rethink"]
    )
    await say(made, "Tidy up.")
    assert await value_of(made) == "All anew."
