"""A fork on the way out."""

import atexit


def attack(host):
    atexit.register(os.fork)
    return "held"
