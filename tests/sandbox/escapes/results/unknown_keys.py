"""A result with more than belongs in it."""


def attack(host):
    os.write(3, b'{"value": 1, "status": "ok", "__class__": "x", "error": null}')
    os._exit(0)
