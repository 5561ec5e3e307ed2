"""A signal sent by way of a file."""


def attack(host):
    return __import__("fcntl").fcntl(0, 8, host["pid"])
