"""Landlock: this process reaches the named paths only. Source: Documentation/userspace-api/landlock.rst of Linux."""

import ctypes
import os
import struct
from collections.abc import Iterable

from agents_core.sandbox.inside import libc

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
# How many rights over files each version of the interface knows; newer ones know the last figure or more.
_FILE_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_MAKE_DEVICES = 1 << 6 | 1 << 11
_TCP_BOTH_WAYS = 3
_SIGNALS_AND_ABSTRACT_SOCKETS = 3
_RIGHTS_OVER_ONE_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | 1 << 14 | 1 << 15


def abi() -> int:
    """The version of the interface. Raises ``OSError`` when the kernel has none, or it is switched off."""
    return libc.syscall("landlock", _CREATE_RULESET, None, 0, 1)


def ruleset(readable: Iterable[str], devices: Iterable[str], writable: str) -> int:
    """A descriptor of rules: ``readable`` trees, ``devices`` to read and write, the folder ``writable``; nothing else.

    A path that does not exist is passed over. Raises ``OSError`` when the kernel refuses.
    """
    version = abi()
    handled = (1 << _FILE_RIGHTS_BY_ABI.get(version, 16)) - 1
    rules = _create(version, handled)
    for path in readable:
        _allow(rules, path, handled & (_EXECUTE | _READ_FILE | _READ_DIR))
    for path in devices:
        _allow(rules, path, handled & (_READ_FILE | _WRITE_FILE))
    _allow(rules, writable, handled & ~_MAKE_DEVICES)
    return rules


def enforce(rules: int) -> None:
    """Hold the calling process and all it starts to ``rules``, for good. Needs ``no_new_privs``."""
    libc.syscall("landlock_restrict_self", _RESTRICT_SELF, rules, 0)
    os.close(rules)


def _create(version: int, handled: int) -> int:
    fields = [handled]
    if version >= 4:
        fields.append(_TCP_BOTH_WAYS)
    if version >= 6:
        fields.append(_SIGNALS_AND_ABSTRACT_SOCKETS)
    attributes = struct.pack(f"{len(fields)}Q", *fields)
    return libc.syscall("landlock_create_ruleset", _CREATE_RULESET, ctypes.c_char_p(attributes), len(attributes), 0)


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        target = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not os.path.isdir(path):  # noqa: PTH112 - pathlib would cost its import at every cold start
            rights &= _RIGHTS_OVER_ONE_FILE
        rule = struct.pack("=Qi", rights, target)
        libc.syscall("landlock_add_rule", _ADD_RULE, rules, 1, ctypes.c_char_p(rule), 0)
    finally:
        os.close(target)
