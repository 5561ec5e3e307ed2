"""Putting another folder in its place."""


def attack(host):
    os.mkdir("other")
    return os.rename("other", sys.path[-1])
