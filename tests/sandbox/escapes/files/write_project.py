"""Writing into the project."""


def attack(host):
    return write(host["project"] + ".left")
