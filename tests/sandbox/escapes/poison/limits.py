"""Its limits, lowered for who comes after."""


def attack(host):
    for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE):
        resource.setrlimit(kind, (1, 1))
    return "done"
