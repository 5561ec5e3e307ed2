"""A number of a million digits."""


def attack(host):
    os.write(3, b'{"value": 1' + b"0" * 1_000_000 + b"}")
    os._exit(0)
