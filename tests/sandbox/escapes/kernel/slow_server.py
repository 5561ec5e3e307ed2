"""Slowing the server."""


def attack(host):
    return os.setpriority(os.PRIO_PROCESS, host["pid"], 19)
