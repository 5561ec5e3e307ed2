"""A number that JSON does not have."""


def attack(host):
    os.write(3, b'{"value": NaN}')
    os._exit(0)
