"""A pair of streams, one of them pointed elsewhere."""


def attack(host):
    return socket.socketpair()[0].connect(host["unix"])
