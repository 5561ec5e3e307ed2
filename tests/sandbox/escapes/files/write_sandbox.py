"""Writing beside the sandbox's own code."""


def attack(host):
    return write("/sb/left")
