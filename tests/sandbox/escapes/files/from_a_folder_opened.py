"""A file relative to the root folder, opened before."""


def attack(host):
    root = os.open("/", os.O_PATH)
    return os.read(os.open(host["secret"].lstrip("/"), os.O_RDONLY, dir_fd=root), 100)
