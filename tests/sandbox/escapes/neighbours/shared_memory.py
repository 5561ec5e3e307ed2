"""Shared memory by its name."""

from multiprocessing import shared_memory


def attack(host):
    try:
        return shared_memory.SharedMemory("neighbour").buf[:10].tobytes()
    except FileNotFoundError:
        return "held"
