"""A loop that catches everything."""


def attack(host):
    while True:
        try:
            hoard = [bytearray(2**20) for _ in range(100_000)]
        except BaseException:
            continue
