"""The integers that all of Python shares."""


def attack(host):
    ctypes.memset(id(7) + 24, 8, 1)
    return "done"
