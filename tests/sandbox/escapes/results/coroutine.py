"""A result that is awaited without end."""


class Waiting:
    def __await__(self):
        while True:
            yield


def attack(host):
    return Waiting()
