"""Copying a mount."""


def attack(host):
    return syscall(host, "open_tree", -100, b"/", 1)
