"""The allocator of memory."""


def attack(host):
    libc("mallopt", -1, 0)
    libc("free", id(attack) + 16)
    return "done"
