"""An error that ends the process when described."""


class Leaving(BaseException):
    def __str__(self):
        os._exit(0)


def attack(host):
    raise Leaving
