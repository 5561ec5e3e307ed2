"""Changing a file's times."""


def attack(host):
    return os.utime(host["secret"], (0, 0))
