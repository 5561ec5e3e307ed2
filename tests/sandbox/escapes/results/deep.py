"""A result nested too deep to be read."""


def attack(host):
    os.write(3, b'{"value": ' + b"[" * 60000 + b"]" * 60000 + b"}")
    os._exit(0)
