"""Becoming root."""


def attack(host):
    return os.setuid(0)
