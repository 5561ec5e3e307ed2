"""The environment of its parent."""


def attack(host):
    return read(f"/proc/{os.getppid()}/environ")
