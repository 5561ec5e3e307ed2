"""A file through a link to the root folder."""


def attack(host):
    os.symlink("/", "root")
    return read("root" + host["secret"])
