"""Connections without end, each closed."""


def attack(host):
    try:
        while True:
            socket.socket().close()
    except OSError:
        return "held"
