"""A file through its thread's entry in /proc."""


def attack(host):
    return read("/proc/thread-self/root" + host["secret"])
