"""A result that makes itself."""


def attack(host):
    return (x for x in iter(int, 1))
