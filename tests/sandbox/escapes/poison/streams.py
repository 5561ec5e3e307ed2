"""The streams of output."""


def attack(host):
    sys.stdout.close()
    sys.stderr = sys.stdin = sys.__stdout__ = None
    os.dup2(os.open("/dev/null", os.O_RDWR), 1)
    return "done"
