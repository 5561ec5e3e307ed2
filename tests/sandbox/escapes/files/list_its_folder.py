"""The folder of a file."""


def attack(host):
    return os.listdir(os.path.dirname(host["secret"]))
