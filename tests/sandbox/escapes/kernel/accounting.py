"""Keeping accounts in a file of its own."""


def attack(host):
    return syscall(host, "acct", b"file")
