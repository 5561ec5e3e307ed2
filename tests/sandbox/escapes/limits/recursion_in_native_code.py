"""Text nested so deep that reading it overflows the stack."""

import json


def attack(host):
    sys.setrecursionlimit(10**9)
    return json.loads("[" * 10**6)
