"""The environment it was started with."""


def attack(host):
    return read("/proc/self/environ")
