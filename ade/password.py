"""The one password that protects a server which others can reach."""

import hashlib
import secrets
import time
from collections import deque
from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.core import signing

COOKIE = "mnemoscope_login"
COOKIE_AGE_S = 30 * 24 * 3600
FAILURES = 10
WINDOW_S = 60.0
_REMEMBERED = 10_000


class TooManyAttemptsError(Exception):
    """Ten wrong passwords within a minute came from one address: none is looked at until the minute is over."""


class Password:
    """Checks what a client offers, in constant time, and slows down one that guesses.

    Args:
        value: the password itself; not empty.
        clock: seconds, for tests.
    """

    def __init__(self, value: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._value = value
        self._clock = clock
        self._failures: dict[str, deque[float]] = {}
        # The password is part of the salt, so that a new one ends every login made with the old one.
        self._signer = signing.TimestampSigner(salt="ade.login" + hashlib.sha256(value.encode()).hexdigest())

    def accepts(self, offered: str, address: str) -> bool:
        """Whether ``offered`` is right. Raises ``TooManyAttemptsError`` when ``address`` has guessed too often."""
        failures = self._recent_failures(address)
        if len(failures) >= FAILURES:
            raise TooManyAttemptsError
        right = secrets.compare_digest(offered.encode(), self._value.encode())
        if not right:
            failures.append(self._clock())
        return right

    def cookie(self) -> str:
        """What a browser keeps to show that it has logged in."""
        return self._signer.sign("person")

    def accepts_cookie(self, value: str) -> bool:
        try:
            self._signer.unsign(value, max_age=COOKIE_AGE_S)
        except signing.BadSignature:
            return False
        return True

    def _recent_failures(self, address: str) -> deque[float]:
        if len(self._failures) > _REMEMBERED:
            self._failures.clear()
        failures = self._failures.setdefault(address, deque())
        while failures and failures[0] < self._clock() - WINDOW_S:
            failures.popleft()
        return failures


@cache
def server_password() -> Password | None:
    """The server's, so that attempts at the API and at the login page count together; ``None`` where none is set."""
    return Password(settings.PASSWORD) if settings.PASSWORD else None
