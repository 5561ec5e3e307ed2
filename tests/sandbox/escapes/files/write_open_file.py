"""Writing to a file that every user of the machine may write."""


def attack(host):
    return write(host["secret"])
