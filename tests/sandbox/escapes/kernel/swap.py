"""Swapping to a file of its own."""


def attack(host):
    return syscall(host, "swapon", b"file", 0)
