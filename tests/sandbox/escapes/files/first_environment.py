"""The environment of process 1."""


def attack(host):
    return read("/proc/1/environ")
