"""The quotas of the disk."""


def attack(host):
    return syscall(host, "quotactl", 0, b"", 0, 0)
