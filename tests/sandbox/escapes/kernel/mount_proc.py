"""Mounting /proc anew."""


def attack(host):
    return syscall(host, "mount", b"proc", b"/proc", b"proc", 0, 0)
