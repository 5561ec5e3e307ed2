"""A file through a hard link."""


def attack(host):
    os.link(host["secret"], "link")
    return read("link")
