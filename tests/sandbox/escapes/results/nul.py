"""NUL and controls."""


def attack(host):
    return "a\0b\x1b[2J\u202e" + "\n" * 100
