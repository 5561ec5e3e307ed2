"""An object that answers when it is deleted."""


class Answering:
    def __del__(self):
        os.write(3, b'{"value": "owned"}')


def attack(host):
    sys.modules["kept"] = Answering()
    return "done"
