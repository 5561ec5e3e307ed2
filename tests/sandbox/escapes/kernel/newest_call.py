"""A call that does not exist yet."""


def attack(host):
    return raw(4000, 0, 0, 0)
