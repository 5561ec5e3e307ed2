"""A file with a hole of a gigabyte."""


def attack(host):
    with open("file", "wb") as file:
        file.truncate(2**40)
    return "made"
