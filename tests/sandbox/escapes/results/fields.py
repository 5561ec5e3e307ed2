"""A dataclass whose fields raise."""


class Fields:
    __dataclass_fields__ = property(lambda self: 1 / 0)


def attack(host):
    return Fields()
