"""The sources that tracebacks show."""

import linecache


def attack(host):
    linecache.getline = linecache.updatecache = None
    linecache.cache.clear()
    raise OSError("done")
