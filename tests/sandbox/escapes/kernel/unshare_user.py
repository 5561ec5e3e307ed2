"""A user namespace, in which it would be root."""


def attack(host):
    return syscall(host, "unshare", 0x10000000)
