"""Restarting the machine."""


def attack(host):
    return syscall(host, "reboot", 0xFEE1DEAD, 672274793, 0x89ABCDEF, 0)
