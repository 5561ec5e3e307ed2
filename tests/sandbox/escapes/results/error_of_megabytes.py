"""An error of megabytes."""


def attack(host):
    raise ValueError("x" * 5_000_000)
