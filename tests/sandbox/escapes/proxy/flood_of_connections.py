"""Connections without end."""


def attack(host):
    try:
        while True:
            socket.socket().detach()
    except OSError:
        return "held"
