"""Slowing all that the user runs."""


def attack(host):
    return os.setpriority(os.PRIO_USER, 0, 19)
