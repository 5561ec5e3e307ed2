"""The door to the containers of the host."""


def attack(host):
    return read("/var/run/docker.sock")
