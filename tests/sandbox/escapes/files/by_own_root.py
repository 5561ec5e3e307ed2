"""A file through its own entry in /proc."""


def attack(host):
    return read("/proc/self/root" + host["secret"])
