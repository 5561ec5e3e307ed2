"""The terminal of the one who started the server."""


def attack(host):
    return read("/dev/tty")
