"""The local variables of those who called it."""


def attack(host):
    frame = sys._getframe()
    while frame:
        frame.f_globals.clear()
        frame = frame.f_back
