"""Taking its capabilities back."""


def attack(host):
    header, all_of_them = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(*[0xFFFFFFFF] * 6)
    return libc("capset", header, all_of_them)
