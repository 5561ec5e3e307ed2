"""A queue of messages with a name."""


def attack(host):
    return syscall(host, "mq_open", b"left", 0o102, 0o600, 0)
