"""A file by its URL."""

import urllib.request


def attack(host):
    return urllib.request.urlopen("file://" + host["secret"]).read()
