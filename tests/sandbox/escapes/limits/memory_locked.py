"""Memory that is never swapped."""


def attack(host):
    if libc("mlockall", 3) == 0:
        return "locked"
