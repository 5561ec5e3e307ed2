"""Stopping its parent."""


def attack(host):
    os.kill(os.getppid(), 19)
    return "held"
