"""More memory than there is."""


def attack(host):
    hoard = [bytearray(2**20) for _ in range(100_000)]
    return len(hoard)
