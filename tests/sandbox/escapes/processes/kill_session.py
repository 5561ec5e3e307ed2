"""Killing its session."""


def attack(host):
    os.kill(-os.getsid(0), 9)
    return "held"
