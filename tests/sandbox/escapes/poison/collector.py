"""A function called when garbage is collected."""

import gc


def attack(host):
    gc.callbacks.append(lambda *a: os.abort())
    gc.collect()
    return "done"
