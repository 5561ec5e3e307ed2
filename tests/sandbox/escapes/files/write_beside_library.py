"""Writing into the standard library."""


def attack(host):
    return write(os.__file__ + ".left")
