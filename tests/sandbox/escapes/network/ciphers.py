"""The ciphers of the kernel."""


def attack(host):
    return socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)
