"""Having the kernel run a program of ours when a group of processes is empty."""


def attack(host):
    return write("/sys/fs/cgroup/release_agent")
