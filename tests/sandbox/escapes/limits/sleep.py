"""Sleep."""


def attack(host):
    time.sleep(300)
