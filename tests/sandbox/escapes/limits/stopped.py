"""A process that stops itself."""


def attack(host):
    os.kill(os.getpid(), 19)
    time.sleep(300)
