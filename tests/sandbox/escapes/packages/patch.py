"""The functions of a package, changed in memory."""

import requests


def attack(host):
    requests.get = requests.api.get = lambda *a, **k: "owned"
    requests.models.Response.text = "owned"
    return "held"
