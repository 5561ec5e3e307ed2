"""Functions without bottom."""


def attack(host):
    sys.setrecursionlimit(10**9)
    return attack(host)
