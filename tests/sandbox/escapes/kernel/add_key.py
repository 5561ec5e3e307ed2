"""A key that outlives the call."""


def attack(host):
    return syscall(host, "add_key", b"user", b"left", b"x", 1, -4)
