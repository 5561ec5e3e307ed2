"""A result written to every descriptor."""

import struct


def attack(host):
    for fd in range(3, 256):
        for lie in (b'{"status": "ok"}', struct.pack(">I", 2) + b"{}", b"r" + bytes(8)):
            try:
                os.write(fd, lie)
            except OSError:
                break
    return "value"
