"""Talking to the machine that holds this one."""


def attack(host):
    return socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
