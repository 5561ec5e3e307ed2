"""Killing its parent's group."""


def attack(host):
    os.killpg(os.getppid(), 9)
    return "held"
