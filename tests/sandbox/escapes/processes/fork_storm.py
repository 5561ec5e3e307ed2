"""A child for each that dies."""


def attack(host):
    def again(*_):
        if os.fork() == 0:
            time.sleep(0.001)
            os._exit(0)

    signal.signal(signal.SIGCHLD, again)
    again()
    time.sleep(0.2)
    return "held"
