"""A full scratch folder."""


def attack(host):
    with open("left", "wb") as file:
        while True:
            file.write(bytes(2**20))
