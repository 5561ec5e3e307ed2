"""Memory outside the limit, as a file without a name."""


def attack(host):
    return syscall(host, "memfd_create", b"x", 0)
