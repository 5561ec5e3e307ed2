"""The batches of SQL under the hot paths: one transaction each, on connections that may break."""

import asyncio
from uuid import uuid4

import psycopg
import pytest

from agents_core.models import pipeline
from agents_core.models.pipeline import Statement, storable

INSERT = Statement("INSERT INTO token_ratio (handle, ratio, samples) VALUES (%s, 1, 1)", ("a",))
COUNT = Statement("SELECT count(*) FROM token_ratio")


@pytest.mark.parametrize(
    "wrong",
    [
        Statement("SELECT 1 / 0"),
        Statement("SELECT no_such_column FROM token_ratio"),
        INSERT,
        Statement("SELECT ensure(false, 'no')"),
        Statement("SELECT %s::jsonb", ("{",)),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
async def test_an_error_anywhere_in_a_batch_undoes_all_of_it(wrong: Statement, place: int) -> None:
    batch = [INSERT, Statement("SELECT 1"), Statement("UPDATE token_ratio SET samples = 2")]
    batch.insert(place + 1, wrong)
    with pytest.raises(psycopg.Error):
        await pipeline.run(batch)
    assert await pipeline.run([COUNT]) == [[(0,)]]


async def test_what_only_the_commit_can_find_is_told_as_what_it_is_and_undoes_all() -> None:
    orphan = "INSERT INTO segment (id, agent_id, kind, source_id, label, tokens, digest) VALUES (%s, 'nobody', 'message', '', '', 0, %s)"
    for _ in range(3):
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            await pipeline.run([INSERT, Statement(orphan, (uuid4(), b"nothing"))])
    assert await pipeline.run([COUNT]) == [[(0,)]]


async def test_arrays_of_bytes_arrive_as_they_are() -> None:
    given = [b"", b"\x00\xff\\", "é".encode()]
    assert await pipeline.run([Statement("SELECT %s::bytea[], %s::bytea[]", (given, []))]) == [[(given, [])]]


async def test_an_error_spoils_nothing_for_the_next_batch_however_often_it_comes() -> None:
    for _ in range(20):
        with pytest.raises(psycopg.errors.SerializationFailure):
            await pipeline.run([INSERT, Statement("SELECT ensure(false, 'no')")])
    await pipeline.run([INSERT])
    assert await pipeline.run([COUNT]) == [[(1,)]]


async def test_what_stood_behind_an_error_runs_the_next_time() -> None:
    behind = Statement("SELECT 'behind', %s::int", (1,))
    for _ in range(20):
        with pytest.raises(psycopg.errors.SerializationFailure):
            await pipeline.run([Statement("SELECT ensure(%s, 'no')", (False,)), behind])
        assert await pipeline.run([Statement("SELECT ensure(%s, 'no')", (True,)), behind]) == [[("",)], [("behind", 1)]]


@pytest.mark.parametrize("number", [0, 60_014, -40_000, 2**40])
async def test_numbers_of_every_size_go_through_one_prepared_statement(number: int) -> None:
    takes = Statement("SELECT %s::int8, %s::int8[], unnest(%s::int8[])", (number, [number, None], [1, number]))
    small = Statement(takes.sql, (1, [1], [1]))
    assert await pipeline.run([small, takes, small]) == [
        [(1, [1], 1)],
        [(number, [number, None], 1), (number, [number, None], number)],
        [(1, [1], 1)],
    ]


async def test_places_may_have_names_and_a_percent_sign_is_written_twice() -> None:
    named = Statement("SELECT %(b)s::text, %(a)s::text, %(b)s || '%%'", {"a": "x", "b": "y"})
    assert await pipeline.run([named]) == [[("y", "x", "y%")]]


async def test_a_batch_that_is_cancelled_while_it_waits_writes_nothing_and_gives_its_connection_back() -> None:
    for _ in range(20):
        task = asyncio.create_task(pipeline.run([INSERT, Statement("SELECT pg_sleep(5)")]))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await pipeline.run([COUNT]) == [[(0,)]]


async def test_more_batches_at_once_than_connections_all_get_their_turn() -> None:
    rows = await asyncio.gather(
        *(pipeline.run([Statement("SELECT pg_sleep(0.01)"), Statement("SELECT %s::int", (n,))]) for n in range(64))
    )
    assert [result[1] for result in rows] == [[(n,)] for n in range(64)]


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("a\x00b", "ab"),
        ("\ud83d half", "? half"),
        ("\\u0000 spelt out", "\\u0000 spelt out"),
        ({"a\x00": [float("nan"), 1.5, float("-inf")]}, {"a": [None, 1.5, None]}),
        ({"deep": {"er": ("x\x00",)}}, {"deep": {"er": ["x"]}}),
        (2**80, 2**80),
        ("😀é", "😀é"),
    ],
)
async def test_a_json_value_is_stored_without_what_postgres_cannot_hold(value: object, stored: object) -> None:
    assert storable(value) == stored
    assert await pipeline.run([Statement("SELECT %s::jsonb", (pipeline.json(value),))]) == [[(stored,)]]
