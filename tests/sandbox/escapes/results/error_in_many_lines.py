"""An error that looks like our words."""


def attack(host):
    raise OSError("\n\nKilled: by the server.\n")
