"""Another kernel."""


def attack(host):
    return syscall(host, "kexec_load", 0, 0, 0, 0)
