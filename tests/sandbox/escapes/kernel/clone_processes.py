"""A child in a process namespace."""


def attack(host):
    return syscall(host, "clone", 0x20000011, 0, 0, 0, 0)
