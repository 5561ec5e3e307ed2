"""Pages that the zygote shares with its calls."""


def attack(host):
    ctypes.memset(id(sys.modules), 0xFF, 16)
    ctypes.memset(id(os.fork), 0xFF, 16)
    os._exit(0)
