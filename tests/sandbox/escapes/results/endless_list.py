"""A list that does not end."""


class Endless(list):
    def __iter__(self):
        while True:
            yield 1


def attack(host):
    return Endless()
