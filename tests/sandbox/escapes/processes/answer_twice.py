"""Answering twice, by a fork."""


def attack(host):
    os.fork()
    return "held"
