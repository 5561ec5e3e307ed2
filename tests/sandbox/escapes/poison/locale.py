"""The language and the place."""

import locale


def attack(host):
    os.environ["TZ"] = "Asia/Tokyo"
    time.tzset()
    locale.setlocale(locale.LC_ALL, "C")
    return "done"
