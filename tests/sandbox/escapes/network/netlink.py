"""Talking to the kernel about the network."""


def attack(host):
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
