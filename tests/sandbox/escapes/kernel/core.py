"""Leaving a core where the host keeps them."""


def attack(host):
    child = os.fork()
    if not child:
        os.abort()
    return "held" if not os.WCOREDUMP(os.waitpid(child, 0)[1]) else "a core was written"
