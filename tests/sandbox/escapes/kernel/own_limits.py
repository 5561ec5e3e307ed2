"""Raising its own limits."""


def attack(host):
    try:
        return resource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))
    except ValueError as error:  # What Python makes of a refusal.
        raise OSError(error) from None
