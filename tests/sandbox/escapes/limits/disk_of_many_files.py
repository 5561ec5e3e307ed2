"""More files than fit."""


def attack(host):
    for number in range(200_000):
        open(str(number), "w").close()
    return "written"
