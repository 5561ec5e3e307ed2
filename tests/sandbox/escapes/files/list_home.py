"""The keys in root's home."""


def attack(host):
    return os.listdir("/root/.ssh")
