"""The descriptor of the result, closed."""


def attack(host):
    os.closerange(0, 256)
