"""A file by its handle."""


def attack(host):
    return syscall(host, "open_by_handle_at", 0, ctypes.create_string_buffer(120), 0)
