"""None, with nobody left who refers to it."""


def attack(host):
    ctypes.c_ssize_t.from_address(id(None)).value = 1
    return "done"
