"""Keys that are no text."""


def attack(host):
    return {None: 1, (1, 2): 2, b"x": 3, 1.5: 4, float("nan"): 5}
