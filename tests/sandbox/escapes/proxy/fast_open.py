"""Data sent with the connecting."""


def attack(host):
    return socket.socket().sendto(b"x", 0x20000000, ("127.0.0.1", host["port"]))
