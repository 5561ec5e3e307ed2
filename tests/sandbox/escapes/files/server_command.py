"""The command line of the server."""


def attack(host):
    return read(f"/proc/{host['pid']}/cmdline")
