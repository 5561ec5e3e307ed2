"""The table of modules."""


def attack(host):
    for name in list(sys.modules):
        sys.modules[name] = None
    return "done"
