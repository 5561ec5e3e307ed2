"""How deep functions may go."""


def attack(host):
    sys.setrecursionlimit(60)
    return "done"
