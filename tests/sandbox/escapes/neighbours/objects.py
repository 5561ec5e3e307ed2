"""The objects of the call beside it, in memory that both were copied from."""

import gc


def attack(host):
    found = [one for one in gc.get_objects() if isinstance(one, dict) and host["word"] in map(str, one.values())]
    return "held" if all(one is host for one in found) else "found"
