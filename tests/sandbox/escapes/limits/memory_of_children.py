"""Memory by many processes."""


def attack(host):
    for _ in range(6):
        if os.fork() == 0:
            break
    hoard = bytearray(60 * 2**20)
    time.sleep(5)
    return len(hoard)
