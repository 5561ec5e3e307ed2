"""Living on when the parent dies."""


def attack(host):
    libc("prctl", 1, 0, 0, 0, 0)
    if os.fork() == 0:
        libc("prctl", 1, 0, 0, 0, 0)
        time.sleep(300)
    os.kill(os.getpid(), 9)
    return "held"
