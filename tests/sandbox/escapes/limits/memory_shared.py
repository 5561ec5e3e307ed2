"""Memory shared by processes, each with a part."""

import mmap


def attack(host):
    shared = mmap.mmap(-1, 100 * 2**20)
    for _ in range(3):
        os.fork()
    other = bytearray(60 * 2**20)
    time.sleep(5)
    return len(other)
