"""What the attacks in ``escapes/`` have at hand: this text stands before each of them. Each function raises ``OSError``."""

import ctypes
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from typing import Any

_LIBC = ctypes.CDLL(None, use_errno=True)


def libc(name: str, *arguments: object) -> int:
    """A function of the C library."""
    function = getattr(_LIBC, name)
    function.restype = ctypes.c_long
    values = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result: int = function(*values)
    if ctypes.c_int(result).value == -1:
        raise OSError(ctypes.get_errno(), "refused")
    return result


def raw(number: int, *arguments: object) -> int:
    """A system call by its number."""
    return libc("syscall", number, *arguments)


def syscall(host: dict[str, Any], name: str, *arguments: object) -> int:
    return raw(host["numbers"][name], *arguments)


def read(path: str) -> str:
    with open(path, "rb") as file:
        return repr(file.read(100))


def write(path: str) -> int:
    with open(path, "wb") as file:
        return file.write(b"x")
