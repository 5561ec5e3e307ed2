"""The functions that talk to the kernel."""


def attack(host):
    os.write = os._exit = os.fork = os.read = lambda *a, **k: 0
    return "done"
