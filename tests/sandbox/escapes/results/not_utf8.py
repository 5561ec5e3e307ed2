"""A result that is no text."""


def attack(host):
    os.write(3, b'{"value": "\xff\xfe"}')
    os._exit(0)
