"""How annotations are read."""

import typing


def attack(host):
    typing.get_type_hints = None
    typing.Union = typing.Optional = int
    return "done"
