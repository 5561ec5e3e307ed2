"""The server's own modules, with its keys."""

import importlib


def attack(host):
    sys.path.insert(0, os.path.dirname(host["project"]))
    try:
        return importlib.import_module("ade.settings").SECRET_KEY
    except ModuleNotFoundError:
        return "held"
