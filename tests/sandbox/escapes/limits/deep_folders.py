"""Folders within folders."""


def attack(host):
    for _ in range(20_000):
        os.mkdir("d")
        os.chdir("d")
    return "made"
