"""The internet."""


def attack(host):
    return socket.create_connection(("1.1.1.1", 53), 1)
