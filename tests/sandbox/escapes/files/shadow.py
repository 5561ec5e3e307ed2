"""The passwords of the machine."""


def attack(host):
    return read("/etc/shadow")
