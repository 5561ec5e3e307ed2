"""Writing to /etc."""


def attack(host):
    return write("/etc/left")
