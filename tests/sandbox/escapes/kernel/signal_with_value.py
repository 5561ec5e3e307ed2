"""A signal with a value."""


def attack(host):
    return syscall(host, "rt_sigqueueinfo", host["pid"], 9, ctypes.create_string_buffer(128))
