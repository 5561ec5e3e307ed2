"""Connections by many processes at a time."""


def attack(host):
    for _ in range(3):
        os.fork()
    try:
        while True:
            socket.socket().close()
    except OSError:
        return "held"
