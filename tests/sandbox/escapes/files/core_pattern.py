"""Having the kernel run a program of ours when something crashes."""


def attack(host):
    return write("/proc/sys/kernel/core_pattern")
