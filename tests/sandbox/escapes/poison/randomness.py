"""What is drawn by lot."""

import random


def attack(host):
    random.seed(0)
    random.random = lambda: 0.5
    os.urandom = lambda n: bytes(n)
    return "done"
