"""A file of the project."""


def attack(host):
    return read(host["project"])
