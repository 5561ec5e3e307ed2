"""Memory by mapping."""

import mmap


def attack(host):
    return len(mmap.mmap(-1, 10 * 2**30))
