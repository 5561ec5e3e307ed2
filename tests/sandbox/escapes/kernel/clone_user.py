"""A child in a user namespace."""


def attack(host):
    return syscall(host, "clone", 0x10000011, 0, 0, 0, 0)
