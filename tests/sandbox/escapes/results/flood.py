"""A result without end."""


def attack(host):
    while True:
        os.write(3, bytes(65536))
