"""A port on the loopback of IPv6."""


def attack(host):
    return socket.create_connection(("::1", host["port"]), 1)
