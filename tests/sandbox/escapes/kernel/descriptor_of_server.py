"""Holding the server by a descriptor."""


def attack(host):
    return syscall(host, "pidfd_open", host["pid"], 0)
