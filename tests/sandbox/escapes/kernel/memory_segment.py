"""Memory outside the limit, System V's."""


def attack(host):
    return syscall(host, "shmget", 0, 1 << 20, 0o1600)
