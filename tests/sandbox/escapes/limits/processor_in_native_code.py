"""A sum that Python cannot be interrupted in."""


def attack(host):
    return len(str(7**10**8))
