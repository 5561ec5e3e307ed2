"""Another root folder for all."""


def attack(host):
    return syscall(host, "pivot_root", b".", b".")
