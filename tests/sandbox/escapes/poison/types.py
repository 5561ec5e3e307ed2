"""The types that all of Python is made of."""


def attack(host):
    ctypes.memset(id(str) + 24, 0, 64)
    return "done"
