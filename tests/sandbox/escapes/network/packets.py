"""Raw packets."""


def attack(host):
    return socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
