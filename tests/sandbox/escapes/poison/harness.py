"""The functions of ours that are still in memory."""

import gc
import types


def attack(host):
    for one in gc.get_objects():
        if isinstance(one, types.FunctionType) and "agents_core" in (one.__module__ or ""):
            one.__code__ = (lambda *a, **k: os.abort()).__code__
    return "done"
