"""The name of the machine."""


def attack(host):
    return socket.sethostname("owned")
