"""Where things are in the server's memory."""


def attack(host):
    return read(f"/proc/{host['pid']}/maps")
