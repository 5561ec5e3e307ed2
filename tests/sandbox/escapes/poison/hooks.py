"""What is called when something goes wrong."""


def attack(host):
    sys.excepthook = sys.unraisablehook = sys.displayhook = lambda *a: os.abort()
    raise OSError("done")
