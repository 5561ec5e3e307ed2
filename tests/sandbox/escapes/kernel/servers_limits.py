"""Lowering the server's limits."""


def attack(host):
    return resource.prlimit(host["pid"], resource.RLIMIT_NOFILE, (0, 0))
