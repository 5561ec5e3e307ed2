"""Taking an open file of the parent."""


def attack(host):
    return syscall(host, "pidfd_getfd", 0, 3, 0)
