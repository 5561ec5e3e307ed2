"""Changing a file's owner."""


def attack(host):
    return os.chown(host["secret"], os.getuid(), os.getgid())
