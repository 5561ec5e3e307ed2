"""Making the root folder writable."""


def attack(host):
    return syscall(host, "mount", b"", b"/", b"", 32, 0)
