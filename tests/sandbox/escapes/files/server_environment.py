"""The server's environment."""


def attack(host):
    return read(f"/proc/{host['pid']}/environ")
