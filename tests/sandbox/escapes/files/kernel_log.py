"""The log of the kernel."""


def attack(host):
    return read("/dev/kmsg")
