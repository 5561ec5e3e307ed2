"""Allowing itself new privileges."""


def attack(host):
    return libc("prctl", 38, 0, 0, 0, 0)
