"""Emptying a file by its name."""


def attack(host):
    return os.truncate(host["secret"], 0)
