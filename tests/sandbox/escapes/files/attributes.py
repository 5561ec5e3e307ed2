"""Changing a file's attributes."""


def attack(host):
    return os.setxattr(host["secret"], "user.left", b"x")
