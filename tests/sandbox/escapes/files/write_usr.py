"""Writing to /usr."""


def attack(host):
    return write("/usr/lib/left")
