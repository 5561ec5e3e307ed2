"""A module of the kernel."""


def attack(host):
    return syscall(host, "finit_module", 0, b"", 0)
