"""A socket by the name the call beside it may have chosen."""


def attack(host):
    return socket.socket(socket.AF_UNIX).connect("\0neighbour")
