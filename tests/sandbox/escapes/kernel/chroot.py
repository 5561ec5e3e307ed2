"""Another root folder."""


def attack(host):
    return os.chroot(".")
