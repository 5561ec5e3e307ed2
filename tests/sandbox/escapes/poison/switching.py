"""How often threads take turns."""

import threading


def spin():
    while True:
        pass


def attack(host):
    sys.setswitchinterval(1000)
    threading.Thread(target=spin, daemon=True).start()
    return "done"
