"""The address at which clouds hand out keys."""


def attack(host):
    return socket.create_connection(("169.254.169.254", 80), 1)
