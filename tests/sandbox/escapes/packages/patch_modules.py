"""The table of modules."""

import requests


def attack(host):
    sys.modules["requests"] = sys.modules["urllib3"] = None
    return "held"
