"""The server's open files."""


def attack(host):
    return os.listdir(f"/proc/{host['pid']}/fd")
