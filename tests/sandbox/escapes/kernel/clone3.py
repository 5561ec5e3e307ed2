"""A child by the call that a filter cannot read."""


def attack(host):
    return syscall(host, "clone3", 0, 0)
