"""A reply of the supervisor, written by hand."""

import struct


def attack(host):
    body = b'{"status": "ended", "reason": "", "code": 0, "sizes": [0, 0, 0]}'
    os.write(3, b"r" + bytes(8) + struct.pack(">I", len(body)) + body)
    return "value"
