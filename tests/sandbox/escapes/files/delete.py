"""Deleting a file."""


def attack(host):
    return os.unlink(host["secret"])
