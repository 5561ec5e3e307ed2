"""A process that leaves its session and its parent."""


def attack(host):
    if os.fork() == 0:
        try:
            os.setsid()
        except OSError:
            pass
        if os.fork() == 0:
            time.sleep(300)
        os._exit(0)
    time.sleep(0.05)
    return "held"
