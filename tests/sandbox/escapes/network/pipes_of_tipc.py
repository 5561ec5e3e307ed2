"""A protocol that nobody audits."""


def attack(host):
    return socket.socket(30, socket.SOCK_STREAM)
