"""Swapping a file for another."""


def attack(host):
    write("mine")
    return os.replace("mine", host["secret"])
