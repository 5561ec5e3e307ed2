"""How results are written."""

import json


def attack(host):
    json.dumps = json.loads = json.load = lambda *a, **k: "owned"
    return "done"
