"""Watching every file of the machine."""


def attack(host):
    return syscall(host, "fanotify_init", 0, 0)
