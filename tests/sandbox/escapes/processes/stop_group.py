"""Stopping its group."""


def attack(host):
    os.kill(0, 19)
    return "held"
