"""What is mounted on the host."""


def attack(host):
    return read("/proc/1/mountinfo")
