"""Two results."""


def attack(host):
    os.write(3, b'{"value": 1}')
    return "value"
