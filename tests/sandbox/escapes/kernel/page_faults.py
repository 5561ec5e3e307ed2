"""Holding up the kernel at page faults."""


def attack(host):
    return syscall(host, "userfaultfd", 1)
