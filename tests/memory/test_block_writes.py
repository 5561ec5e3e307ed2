import threading
from collections.abc import Callable

import pytest
from django.db import connection

from agents_core.errors import Conflict, InvalidInput, NotFound
from agents_core.memory import blocks
from agents_core.memory.edits import BlockLimitError
from agents_core.models import AgentBlock, Author, Block, BlockVersion
from agents_core.models.pipeline import run_sync
from tests.memory.world import make_agent

pytestmark = pytest.mark.django_db


def test_a_new_block_has_its_creation_as_version_one() -> None:
    block = blocks.create(Author.PERSON, label="human", value="Ana")
    [version] = blocks.history(block.id)
    assert (version.version, version.value, version.author, version.limit) == (1, "Ana", Author.PERSON, 100_000)


@pytest.mark.parametrize("fields", [{"label": ""}, {"label": "a", "colour": "red"}, {"label": "a", "value": "x\x00"}])
def test_a_malformed_block_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        blocks.create(Author.API, **fields)


def test_a_write_makes_a_version_with_its_author_and_call() -> None:
    agent = make_agent()
    block = blocks.create(Author.PERSON, label="human", value="Ana")
    blocks.write(block.id, {"value": "Bea"}, Author.AGENT, 1, agent_id=agent.id, tool_call_id="call-1")
    newest = blocks.history(block.id)[0]
    assert (newest.version, newest.value, newest.author) == (2, "Bea", Author.AGENT)
    assert (newest.agent_id, newest.tool_call_id) == (agent.id, "call-1")
    assert Block.objects.get(pk=block.id).version == 2


def test_a_write_that_changes_nothing_makes_no_version() -> None:
    block = blocks.create(Author.PERSON, label="human", value="Ana")
    assert blocks.write(block.id, {"value": "Ana"}, Author.API, 1).version == 1
    assert blocks.history(block.id).count() == 1


def test_what_the_agent_does_not_see_makes_no_version() -> None:
    block = blocks.create(Author.PERSON, label="human", value="Ana")
    written = blocks.write(block.id, {"tags": ["x"], "metadata": {"a": 1}}, Author.API, None)
    assert (written.version, Block.objects.get(pk=block.id).tags) == (1, ["x"])


def test_a_stale_write_tells_both_versions_and_changes_nothing() -> None:
    block = blocks.create(Author.PERSON, label="human", value="Ana")
    blocks.write(block.id, {"value": "Bea"}, Author.PERSON, 1)
    with pytest.raises(Conflict) as refusal:
        blocks.write(block.id, {"value": "Cleo"}, Author.API, 1)
    assert refusal.value.data == {"block_id": block.id, "expected_version": 1, "version": 2}
    assert Block.objects.get(pk=block.id).value == "Bea"


def test_a_value_over_the_limit_is_refused_whichever_of_the_two_changes() -> None:
    block = blocks.create(Author.PERSON, label="human", value="Ana", limit=5)
    for changes in ({"value": "Anabella"}, {"limit": 2}):
        with pytest.raises(BlockLimitError):
            blocks.write(block.id, changes, Author.API, None)
    assert blocks.write(block.id, {"limit": 8, "value": "Anabella"}, Author.API, None).version == 2


def test_a_new_label_reaches_the_agents_that_hold_the_block() -> None:
    agent, block = make_agent(), blocks.create(Author.PERSON, label="human")
    link = AgentBlock.objects.create(agent=agent, block=block, label="human")
    blocks.write(block.id, {"label": "person"}, Author.PERSON, None)
    link.refresh_from_db()
    assert link.label == "person"


def test_a_label_that_an_agent_already_has_is_refused() -> None:
    agent = make_agent()
    human, persona = (blocks.create(Author.PERSON, label=label) for label in ("human", "persona"))
    for block in (human, persona):
        AgentBlock.objects.create(agent=agent, block=block, label=block.label)
    with pytest.raises(Conflict, match="already has a block labelled 'persona'"):
        blocks.write(human.id, {"label": "persona"}, Author.PERSON, None)


def test_writing_an_unknown_block_says_so() -> None:
    with pytest.raises(NotFound):
        blocks.write("block-none", {"value": ""}, Author.API, None)


def test_restoring_makes_a_new_version_like_the_old_one() -> None:
    block = blocks.create(Author.PERSON, label="human", value="Ana", description="Who")
    blocks.write(block.id, {"value": "Bea", "description": None}, Author.AGENT, 1)
    restored = blocks.restore(block.id, 1, Author.PERSON, expected_version=2)
    assert (restored.version, restored.value, restored.description) == (3, "Ana", "Who")
    with pytest.raises(NotFound, match="no version 9"):
        blocks.restore(block.id, 9, Author.PERSON)


def test_a_batch_writes_the_block_and_its_version() -> None:
    agent, block = make_agent(), blocks.create(Author.PERSON, label="human", value="Ana")
    link = AgentBlock.objects.create(agent=agent, block=block, label="human")
    changes = {"value": "Bea", "label": "person"}
    statements = blocks.write_statements(block.id, changes, Author.AGENT, 1, agent.id, None, "call-1")
    assert run_sync(statements) == [[(2,)]]
    block.refresh_from_db()
    link.refresh_from_db()
    assert (block.value, block.label, block.version, link.label) == ("Bea", "person", 2, "person")
    version = BlockVersion.objects.get(block=block, version=2)
    assert (version.value, version.limit, version.agent_id, version.tool_call_id) == (
        "Bea",
        100_000,
        agent.id,
        "call-1",
    )


def test_a_batch_from_a_stale_version_gives_no_row_and_writes_nothing() -> None:
    block = blocks.create(Author.PERSON, label="human", value="Ana")
    assert run_sync(blocks.write_statements(block.id, {"value": "Bea"}, Author.AGENT, 7)) == [[]]
    assert blocks.history(block.id).count() == 1


def test_a_batch_refuses_fields_that_have_no_versions() -> None:
    with pytest.raises(InvalidInput):
        blocks.write_statements("block-1", {"tags": []}, Author.AGENT, 1)


def _by_orm(block_id: str, value: str) -> bool:
    try:
        blocks.write(block_id, {"value": value}, Author.PERSON, 1)
    except Conflict:
        return False
    return True


def _by_batch(block_id: str, value: str) -> bool:
    return run_sync(blocks.write_statements(block_id, {"value": value}, Author.AGENT, 1)) != [[]]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("writers", [(_by_orm, _by_orm), (_by_batch, _by_batch), (_by_orm, _by_batch)])
def test_of_two_writers_at_once_exactly_one_wins(writers: tuple[Callable[[str, str], bool], ...]) -> None:
    block = blocks.create(Author.PERSON, label="human", value="Ana")
    together, won = threading.Barrier(len(writers)), list[str]()

    def write(writer: Callable[[str, str], bool], value: str) -> None:
        together.wait()
        if writer(block.id, value):
            won.append(value)
        connection.close()

    threads = [threading.Thread(target=write, args=pair) for pair in zip(writers, ("Bea", "Cleo"), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    block.refresh_from_db()
    assert won == [block.value]
    assert (block.version, blocks.history(block.id).count()) == (2, 2)
