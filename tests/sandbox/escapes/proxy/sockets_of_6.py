"""A socket of IPv6."""


def attack(host):
    return socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
