"""A tree of processes whose roots are dead."""


def attack(host):
    for _ in range(4):
        if os.fork() == 0:
            if os.fork() == 0:
                time.sleep(300)
            os._exit(0)
    return "held"
