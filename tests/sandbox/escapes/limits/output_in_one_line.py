"""A line without end."""


def attack(host):
    while True:
        print("x", end="")
