"""A thread left behind."""

import threading


def attack(host):
    threading.Thread(target=time.sleep, args=(300,)).start()
    return "held"
