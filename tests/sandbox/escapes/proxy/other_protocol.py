"""A protocol that carries TCP by another way."""


def attack(host):
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
