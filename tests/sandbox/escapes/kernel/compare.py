"""Comparing what two processes hold."""


def attack(host):
    return syscall(host, "kcmp", os.getpid(), host["pid"], 0, 0, 0)
