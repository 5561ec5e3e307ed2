"""An object that says how it is written, and does not end."""


class Model:
    def model_dump(self):
        return Model()


def attack(host):
    return Model()
