"""The radios of the machine."""


def attack(host):
    return socket.socket(31, socket.SOCK_RAW, 1)
