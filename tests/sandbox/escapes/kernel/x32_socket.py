"""A socket by the other number of its call."""


def attack(host):
    return raw(0x40000000 | host["numbers"]["socket"], 2, 1, 0)
