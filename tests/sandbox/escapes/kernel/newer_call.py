"""A call newer than the list."""


def attack(host):
    return raw(461, 0, 0, 0)
