"""A dict whose items are not."""


class Liar(dict):
    def items(self):
        return [(object(), lambda: 1)] * 3


def attack(host):
    return Liar(a=1)
