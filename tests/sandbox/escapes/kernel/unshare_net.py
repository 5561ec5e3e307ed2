"""A network of its own."""


def attack(host):
    return syscall(host, "unshare", 0x40000000)
