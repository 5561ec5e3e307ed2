"""Questions to the supervisor, broken off by signals."""


def attack(host):
    signal.signal(signal.SIGALRM, lambda *a: None)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    for _ in range(100):
        try:
            socket.socket().close()
        except InterruptedError:
            pass
    return "held"
