"""Pinning the server to one processor."""


def attack(host):
    return os.sched_setaffinity(host["pid"], {0})
