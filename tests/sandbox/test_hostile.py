"""A few seconds of made-up hostile programs; ``tests.sandbox.hostile`` runs them for as long as one likes."""

import time

import pytest

from agents_core.sandbox.base import SandboxUnavailable
from tests.sandbox.hostile import KINDS, Arena, attack

_SECONDS = 5.0


@pytest.mark.parametrize("kind", KINDS)
def test_programs_of_nasty_statements_harm_nothing(kind: str) -> None:
    try:
        with Arena(kind) as arena:
            end = time.monotonic() + _SECONDS
            attack(arena, lambda: time.monotonic() >= end, most=200)
            assert arena.tried > 2
    except SandboxUnavailable as error:
        pytest.skip(str(error))
