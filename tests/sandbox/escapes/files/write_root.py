"""Writing to the root folder."""


def attack(host):
    return write("/left")
