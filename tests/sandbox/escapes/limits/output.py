"""Output without end."""


def attack(host):
    while True:
        sys.stdout.write("o" * 2**20)
