"""The server's memory."""


def attack(host):
    return read(f"/proc/{host['pid']}/mem")
