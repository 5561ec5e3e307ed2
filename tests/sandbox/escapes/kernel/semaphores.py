"""Semaphores that outlive the call."""


def attack(host):
    return syscall(host, "semget", 0, 1, 0o1600)
