"""A datagram."""


def attack(host):
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
