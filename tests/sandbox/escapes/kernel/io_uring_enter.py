"""Entering a ring."""


def attack(host):
    return syscall(host, "io_uring_enter", 0, 1, 0, 0, 0, 0)
