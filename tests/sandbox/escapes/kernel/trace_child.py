"""Tracing a child, to change its calls after the filter saw them."""


def attack(host):
    return syscall(host, "ptrace", 0, 0, 0, 0)
