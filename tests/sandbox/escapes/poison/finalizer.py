"""A finalizer that waits for the end."""

import weakref


def attack(host):
    weakref.finalize(attack, lambda: time.sleep(300))
    return "done"
