"""Locking a file, for others to wait."""

import fcntl


def attack(host):
    return fcntl.flock(os.open(host["secret"], os.O_RDWR), fcntl.LOCK_EX)
