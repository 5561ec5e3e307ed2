"""An error that cannot be described."""


class Wordless(Exception):
    def __str__(self):
        raise self


def attack(host):
    raise Wordless
