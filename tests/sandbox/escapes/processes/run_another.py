"""Becoming another program that does not end."""


def attack(host):
    os.execv("/bin/sleep", ["sleep", "300"])
