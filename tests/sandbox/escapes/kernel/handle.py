"""The handle of a file."""


def attack(host):
    return syscall(
        host, "name_to_handle_at", -100, b"/", ctypes.create_string_buffer(200), ctypes.create_string_buffer(8), 0
    )
