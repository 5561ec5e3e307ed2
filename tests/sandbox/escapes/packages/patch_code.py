"""The code of a function of a package."""

import requests


def attack(host):
    requests.api.get.__code__ = (lambda *a, **k: "owned").__code__
    requests.__version__ = "owned"
    return "held"
