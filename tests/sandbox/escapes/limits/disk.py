"""A file larger than the scratch folder."""


def attack(host):
    with open("file", "wb") as file:
        for _ in range(1000):
            file.write(bytes(2**20))
    return "written"
