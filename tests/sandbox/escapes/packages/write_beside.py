"""Writing beside a package."""

import requests


def attack(host):
    return write(os.path.dirname(requests.__file__) + "/left.py")
