"""A file by running it."""


def attack(host):
    os.execv(host["secret"], ["x"])
