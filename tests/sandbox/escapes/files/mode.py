"""Changing a file's mode."""


def attack(host):
    return os.chmod(host["secret"], 0o777)
