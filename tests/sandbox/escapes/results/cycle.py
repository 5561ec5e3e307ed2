"""A result that contains itself."""


def attack(host):
    loop = {}
    loop["self"] = [loop]
    return loop
