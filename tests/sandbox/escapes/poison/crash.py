"""The process, by a wild pointer."""


def attack(host):
    ctypes.string_at(0)
