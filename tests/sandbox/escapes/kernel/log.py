"""The log of the kernel, by a call."""


def attack(host):
    return syscall(host, "syslog", 3, ctypes.create_string_buffer(100), 100)
