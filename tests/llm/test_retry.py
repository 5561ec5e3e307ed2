"""How long a retry waits, and when there is none."""

from datetime import UTC, datetime

import pytest

from agents_core.llm.errors import ModelBadRequest, ModelRateLimited, ModelServerError
from agents_core.llm.retry import LONGEST_WAIT_S, TRIES, delay_s, retry_after_s, retrying

NOW = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": "Sun, 01 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Sun, 01 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers, NOW) == seconds


def test_waits_grow() -> None:
    first, second = (delay_s(ModelServerError("oops"), tried) or 0 for tried in (1, 2))
    assert 0 < first < second


def test_the_servers_wish_goes_first() -> None:
    assert delay_s(ModelRateLimited("slow", retry_after_s=12.0), 1) == 12.0


@pytest.mark.parametrize(
    ("error", "tried"),
    [
        (ModelBadRequest("no"), 1),
        (ModelServerError("oops"), TRIES),
        (ModelRateLimited("slow", retry_after_s=LONGEST_WAIT_S + 1), 1),
    ],
)
def test_there_is_no_retry(error: ModelServerError, tried: int) -> None:
    assert delay_s(error, tried) is None


async def test_a_call_is_repeated_until_it_succeeds() -> None:
    failures = [ModelServerError("oops", retry_after_s=0.0)] * 2

    async def call() -> str:
        if failures:
            raise failures.pop()
        return "done"

    assert await retrying(call) == "done"
