"""A socket without a file."""


def attack(host):
    return socket.socket(socket.AF_UNIX).connect("\0" + host["abstract"])
