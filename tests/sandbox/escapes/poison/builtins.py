"""The built-in functions."""

import builtins


def attack(host):
    for name in ("len", "print", "open", "isinstance", "str", "dict", "getattr"):
        setattr(builtins, name, lambda *a, **k: "owned")
    return "done"
