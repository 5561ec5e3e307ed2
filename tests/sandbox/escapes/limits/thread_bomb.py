"""A thread bomb."""

import threading


def attack(host):
    while True:
        try:
            threading.Thread(target=time.sleep, args=(300,)).start()
        except RuntimeError:
            time.sleep(0.01)
