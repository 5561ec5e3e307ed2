"""Connections that say nothing."""


def attack(host):
    kept = [socket.create_connection(("127.0.0.1", 3128), 5) for _ in range(16)]
    return "held"
