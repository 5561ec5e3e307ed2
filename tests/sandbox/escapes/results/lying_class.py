"""An object that lies about its class."""


class Liar:
    __class__ = str

    def encode(self, *_):
        return self

    def decode(self, *_):
        return b"\xff"


def attack(host):
    return Liar()
