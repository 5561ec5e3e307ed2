"""Memory by threads."""

import threading


def attack(host):
    threading.stack_size(64 * 2**20)
    for _ in range(1000):
        threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
    return "made"
