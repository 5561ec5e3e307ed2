"""Calls by way of a ring that no filter sees."""


def attack(host):
    return syscall(host, "io_uring_setup", 8, ctypes.create_string_buffer(120))
