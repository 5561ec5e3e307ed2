"""A text that answers with something else."""


class Liar(str):
    def encode(self, *_):
        return b"\xff\xfe"

    def __str__(self):
        os._exit(7)


def attack(host):
    return Liar("x")
