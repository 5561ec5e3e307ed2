"""Tracing the server."""


def attack(host):
    return syscall(host, "ptrace", 16, host["pid"], 0, 0)
