"""Making a package writable."""

import requests


def attack(host):
    return os.chmod(requests.__file__, 0o777)
