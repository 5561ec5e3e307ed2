"""Climbing out of the folder."""


def attack(host):
    return read(sys.path[-1] + "/../.." + host["secret"])
