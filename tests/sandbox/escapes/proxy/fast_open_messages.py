"""Messages sent with the connecting."""


def attack(host):
    return syscall(host, "sendmmsg", socket.socket().fileno(), 0, 0, 0x20000000)
