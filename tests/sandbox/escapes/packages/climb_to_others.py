"""The packages of other tools."""


def attack(host):
    return os.listdir(sys.path[-1] + "/..") if not sys.path[-1].startswith("/packages") else "held"
