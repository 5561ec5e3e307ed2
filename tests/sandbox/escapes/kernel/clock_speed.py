"""The speed of the clock."""


def attack(host):
    return syscall(host, "adjtimex", ctypes.create_string_buffer(300))
