"""A port on loopback."""


def attack(host):
    return socket.create_connection(("127.0.0.1", host["port"]), 1)
