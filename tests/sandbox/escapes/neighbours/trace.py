"""Tracing all around it."""


def attack(host):
    for number in range(max(1, os.getpid() - 100), os.getpid() + 100):
        try:
            syscall(host, "ptrace", 16, number, 0, 0)
        except OSError:
            continue
        return number
    return "held"
