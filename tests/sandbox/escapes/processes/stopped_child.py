"""A stopped child."""


def attack(host):
    child = os.fork()
    if child == 0:
        os.kill(os.getpid(), 19)
        time.sleep(300)
    return "held"
