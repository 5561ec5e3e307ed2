"""A number that describes itself as something else."""


class Liar(int):
    def __repr__(self):
        return "], forged: ["

    __str__ = __repr__


def attack(host):
    return Liar(1)
