"""What a process and all it started use now, read from /proc through a descriptor opened before it was covered."""

import os
from typing import NamedTuple

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")


class Usage(NamedTuple):
    cpu_s: float
    memory_bytes: int
    processes: list[int]


def of_tree(proc: int, pid: int, shared_bytes: int) -> Usage:
    """CPU time, dead children included, and resident memory of ``pid`` and its descendants.

    ``shared_bytes`` is what each of them shares with the zygote; it is counted once.
    """
    cpu_s, memory, found = 0.0, shared_bytes, []
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        try:
            waiting += _children(proc, one)
            fields = _read(proc, f"{one}/stat").rpartition(b")")[2].split()
        except OSError:
            continue  # It ended in the meantime.
        found.append(one)
        cpu_s += sum(map(int, fields[11:15])) / _TICK
        memory += max(0, int(fields[21]) * _PAGE - shared_bytes)
    return Usage(cpu_s, memory, found)


def address_space_bytes() -> int:
    return int(_read(None, "/proc/self/statm").split()[0]) * _PAGE


def resident_bytes() -> int:
    return int(_read(None, "/proc/self/statm").split()[1]) * _PAGE


def _children(proc: int, pid: int) -> list[int]:
    threads = _open(proc, f"{pid}/task")
    try:
        return [
            int(child)
            for thread in os.listdir(threads)  # noqa: PTH208
            for child in _read(threads, f"{thread}/children").split()
        ]
    finally:
        os.close(threads)


def _open(folder: int | None, path: str) -> int:
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)


def _read(folder: int | None, path: str) -> bytes:
    file = _open(folder, path)
    try:
        return os.read(file, 65536)
    finally:
        os.close(file)
