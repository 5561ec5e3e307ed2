"""A result of a million parts."""


def attack(host):
    return list(range(1_000_000))
