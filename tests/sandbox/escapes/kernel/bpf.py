"""A program in the kernel."""


def attack(host):
    return syscall(host, "bpf", 0, 0, 0)
