"""Killing the server."""


def attack(host):
    return os.kill(host["pid"], 9)
