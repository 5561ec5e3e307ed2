"""Killing the server's group."""


def attack(host):
    return os.kill(-host["pid"], 9)
