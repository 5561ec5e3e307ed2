"""Memory laid out the same each time."""


def attack(host):
    return syscall(host, "personality", 0x0040000)
