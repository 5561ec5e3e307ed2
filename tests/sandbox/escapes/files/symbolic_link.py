"""A file through a symbolic link."""


def attack(host):
    os.symlink(host["secret"], "link")
    return read("link")
