"""Killing process 1."""


def attack(host):
    os.kill(1, 9)
    return "held"
