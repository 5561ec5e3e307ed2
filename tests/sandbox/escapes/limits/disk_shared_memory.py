"""Files in shared memory."""


def attack(host):
    with open("/dev/shm/file", "wb") as file:
        for _ in range(1000):
            file.write(bytes(2**20))
    return "written"
