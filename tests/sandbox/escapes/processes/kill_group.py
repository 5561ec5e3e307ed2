"""Killing its group, which once was the zygote's."""


def attack(host):
    os.kill(0, 9)
    return "held"
