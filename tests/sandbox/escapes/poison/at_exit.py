"""A function called at the end."""

import atexit


def attack(host):
    atexit.register(lambda: os.write(3, b"owned"))
    return "done"
