"""Its own priority."""


def attack(host):
    os.nice(19)
    return "done"
