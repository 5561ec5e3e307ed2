"""What counts as an instance."""

import abc
import collections.abc


def attack(host):
    abc.ABCMeta.__instancecheck__ = lambda *a: True
    collections.abc.Mapping.register(int)
    return "done"
