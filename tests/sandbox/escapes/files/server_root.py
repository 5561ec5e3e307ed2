"""A file through the server's root folder."""


def attack(host):
    return read(f"/proc/{host['pid']}/root" + host["secret"])
