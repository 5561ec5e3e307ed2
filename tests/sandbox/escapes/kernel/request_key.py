"""Having the kernel run its helper for keys."""


def attack(host):
    return syscall(host, "request_key", b"user", b"left", b"x", -4)
