"""Taking over the orphans of others."""


def attack(host):
    libc("prctl", 36, 1, 0, 0, 0)
    if os.fork() == 0:
        if os.fork() == 0:
            time.sleep(300)
        os._exit(0)
    return "held"
