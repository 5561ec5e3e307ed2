"""Measuring others."""


def attack(host):
    return syscall(host, "perf_event_open", ctypes.create_string_buffer(120), 0, -1, -1, 0)
