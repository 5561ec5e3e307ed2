"""A queue of messages that outlives the call."""


def attack(host):
    return syscall(host, "msgget", 0, 0o1600)
