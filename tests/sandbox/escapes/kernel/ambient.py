"""Capabilities for what it runs."""


def attack(host):
    return libc("prctl", 47, 2, 21, 0, 0)
