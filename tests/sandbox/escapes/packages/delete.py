"""Deleting a package."""

import requests


def attack(host):
    return os.unlink(requests.__file__)
