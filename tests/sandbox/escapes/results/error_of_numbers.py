"""An error that is no text."""


def attack(host):
    os.write(3, b'{"error": {"a": [1]}, "traceback": 7}')
    os._exit(0)
