"""A pair of sockets, one of them pointed elsewhere."""


def attack(host):
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].connect(host["unix"])
