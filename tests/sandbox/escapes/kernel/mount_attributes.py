"""Changing what a mount allows."""


def attack(host):
    return syscall(host, "mount_setattr", -100, b"/", 0, ctypes.create_string_buffer(32), 32)
