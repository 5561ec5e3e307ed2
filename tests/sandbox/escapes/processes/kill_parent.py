"""Killing its parent."""


def attack(host):
    os.kill(os.getppid(), 9)
    return "held"
