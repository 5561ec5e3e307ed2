"""A wait for a lock that nobody opens."""

import threading


def attack(host):
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()
