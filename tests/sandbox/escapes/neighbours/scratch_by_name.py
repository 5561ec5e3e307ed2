"""The scratch folders in shared memory, by listing them."""


def attack(host):
    return [name for name in os.listdir("/dev/shm") if os.listdir(f"/dev/shm/{name}")] or "held"
