"""Messages of System V, by counting."""


def attack(host):
    return [syscall(host, "msgget", number, 0) for number in range(10)]
