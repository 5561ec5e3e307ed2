"""A pattern that takes for ever to match."""

import re


def attack(host):
    return re.match("(a+)+$", "a" * 60 + "b")
