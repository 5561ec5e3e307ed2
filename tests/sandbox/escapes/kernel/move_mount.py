"""Moving a mount."""


def attack(host):
    return syscall(host, "move_mount", -100, b"/", -100, b"/tmp", 0)
