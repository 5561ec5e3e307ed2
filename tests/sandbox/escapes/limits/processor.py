"""A loop without end."""


def attack(host):
    while True:
        pass
