"""A result written by hand, then silence."""


def attack(host):
    os.write(3, b'{"value": "forged"}')
    os._exit(0)
