"""The same calls by their other numbers."""


def attack(host):
    return raw(0x40000000 | host["numbers"]["mount"], b"tmpfs", b"/tmp", b"tmpfs", 0, 0)
