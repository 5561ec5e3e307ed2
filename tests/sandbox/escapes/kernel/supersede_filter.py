"""Answering the questions of a filter of its own."""

import struct

ALLOW = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7FFF0000))


def attack(host):
    return (
        syscall(host, "seccomp", 1, 8, ctypes.create_string_buffer(struct.pack("HL", 1, ctypes.addressof(ALLOW))))
        and socket.socket()
    )
