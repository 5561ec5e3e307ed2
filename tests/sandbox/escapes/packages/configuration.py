"""A file that Python reads when it starts."""


def attack(host):
    return write(sys.path[-1] + "/sitecustomize.py")
