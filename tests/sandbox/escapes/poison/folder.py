"""The folder it works in, and its files."""


def attack(host):
    write("left")
    os.umask(0o777)
    os.mkdir("sub")
    os.chdir("/")
    return "done"
