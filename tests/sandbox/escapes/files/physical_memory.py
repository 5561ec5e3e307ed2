"""The memory of the machine."""


def attack(host):
    return read("/dev/mem")
