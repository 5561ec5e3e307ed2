"""More open files than allowed."""


def attack(host):
    kept = [os.open("/dev/null", os.O_RDONLY) for _ in range(10_000)]
    return len(kept)
