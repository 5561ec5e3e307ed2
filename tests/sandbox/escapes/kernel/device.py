"""A device."""


def attack(host):
    return os.mknod("disk", 0o60600, os.makedev(254, 0))
