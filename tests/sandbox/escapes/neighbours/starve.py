"""All processes that the machine allows."""


def attack(host):
    for _ in range(200):
        try:
            if os.fork() == 0:
                time.sleep(5)
        except OSError:
            break
    return "held"
