"""Writing over a package."""

import requests


def attack(host):
    return write(requests.__file__)
