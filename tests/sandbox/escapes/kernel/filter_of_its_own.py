"""A filter that allows everything, in the hope that it replaces ours."""

import struct


def attack(host):
    allow = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7FFF0000))
    libc("prctl", 22, 2, ctypes.create_string_buffer(struct.pack("HL", 1, ctypes.addressof(allow))), 0, 0)
    return syscall(host, "mount", b"tmpfs", b"/tmp", b"tmpfs", 0, 0)
