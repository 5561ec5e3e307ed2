"""The clock."""


def attack(host):
    return time.clock_settime(time.CLOCK_REALTIME, 0.0)
