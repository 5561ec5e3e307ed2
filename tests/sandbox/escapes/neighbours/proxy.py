"""The way out of the call beside it."""

import urllib.request


def attack(host):
    return urllib.request.urlopen("http://allowed.test/", timeout=1).read()
