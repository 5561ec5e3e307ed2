"""The way out of the call beside it, by its address."""


def attack(host):
    return socket.create_connection(("127.0.0.1", 3128), 1)
