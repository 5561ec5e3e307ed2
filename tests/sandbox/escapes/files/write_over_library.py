"""Writing over the standard library."""


def attack(host):
    return write(os.__file__)
