"""How modules are imported."""

import builtins


def attack(host):
    builtins.__import__ = lambda *a, **k: "owned"
    return "done"
