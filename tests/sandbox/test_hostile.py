"""A second or two of made-up hostile programs; ``tests.sandbox.hostile`` runs them for as long as one likes."""

import time

import pytest

from agents_core.sandbox.base import SandboxUnavailable
from tests.sandbox.hostile import Arena, attack
from tests.sandbox.runners import KINDS

_SECONDS = 1.5


@pytest.mark.parametrize("kind", KINDS)
def test_programs_of_nasty_statements_harm_nothing(kind: str) -> None:
    try:
        arena = Arena(kind)
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    with arena:
        end = time.monotonic() + _SECONDS
        attack(arena, lambda: time.monotonic() >= end, most=200)
        assert arena.tried > 2
