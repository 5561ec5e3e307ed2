"""The list of users."""


def attack(host):
    return read("/etc/passwd")
