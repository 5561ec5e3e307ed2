"""A child that keeps the result open."""


def attack(host):
    if os.fork() == 0:
        time.sleep(300)
    return "value"
