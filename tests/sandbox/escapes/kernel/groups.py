"""Joining the group of the disk."""


def attack(host):
    return os.setgroups([6])
