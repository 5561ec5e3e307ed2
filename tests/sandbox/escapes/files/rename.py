"""A file by moving it here."""


def attack(host):
    os.rename(host["secret"], "mine")
    return read("mine")
