"""Writing to the program it is run by."""


def attack(host):
    return write("/proc/self/exe")
