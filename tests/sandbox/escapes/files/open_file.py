"""A file that every user of the machine may read."""


def attack(host):
    return read(host["secret"])
