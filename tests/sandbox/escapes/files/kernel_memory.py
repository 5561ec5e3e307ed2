"""The memory of the kernel."""


def attack(host):
    return read("/proc/kcore")
