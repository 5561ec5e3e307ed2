"""Listening for others."""


def attack(host):
    return socket.socket().listen()
