"""Mounting."""


def attack(host):
    return syscall(host, "mount", b"tmpfs", b"/tmp", b"tmpfs", 0, 0)
