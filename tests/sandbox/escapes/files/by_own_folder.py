"""A file through the folder it works in, named by /proc."""


def attack(host):
    return read("/proc/self/cwd/../.." + host["secret"])
