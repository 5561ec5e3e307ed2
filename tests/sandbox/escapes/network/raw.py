"""Raw IP."""


def attack(host):
    return socket.socket(socket.AF_INET, socket.SOCK_RAW, 255)
