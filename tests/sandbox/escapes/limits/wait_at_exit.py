"""An end that waits."""

import atexit
import threading


def attack(host):
    atexit.register(time.sleep, 300)
    threading.Thread(target=time.sleep, args=(300,)).start()
    return "held"
