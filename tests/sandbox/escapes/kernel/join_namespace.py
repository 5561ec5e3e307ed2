"""Joining another namespace."""


def attack(host):
    return syscall(host, "setns", 0, 0)
