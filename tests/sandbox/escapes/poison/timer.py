"""An alarm that rings after the call."""


def attack(host):
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    signal.alarm(1)
    return "done"
