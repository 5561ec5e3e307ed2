"""Mounting, the newer way."""


def attack(host):
    return syscall(host, "fsopen", b"proc", 0)
