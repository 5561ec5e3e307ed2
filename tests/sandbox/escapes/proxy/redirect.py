"""An address of the machine that an allowed host redirects to."""

import urllib.error
import urllib.request


def attack(host):
    try:
        return urllib.request.urlopen(f"http://allowed.test/redirect?to=http://127.0.0.1:{host['web_port']}/").read()
    except urllib.error.HTTPError as error:
        return "held" if error.code == 403 else str(error)
