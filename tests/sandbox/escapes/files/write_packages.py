"""Writing where packages are mounted."""


def attack(host):
    return write("/packages/left")
