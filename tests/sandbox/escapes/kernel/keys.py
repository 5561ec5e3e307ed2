"""The keys the kernel keeps for the session."""


def attack(host):
    return syscall(host, "keyctl", 0, -3, 1)
