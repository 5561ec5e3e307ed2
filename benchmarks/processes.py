"""CPU time of the server's processes, by what they are."""

import psutil

PARTS = ("web", "worker", "database")


def cpu_ms(root: int) -> dict[str, float]:
    """User and system time so far of the processes under ``root``, and of those that they have seen end."""
    spent = dict.fromkeys(PARTS, 0.0)
    for process in [psutil.Process(root), *psutil.Process(root).children(recursive=True)]:
        try:
            times, words = process.cpu_times(), " ".join(process.cmdline())
        except psutil.Error:
            continue
        spent[_part(words)] += sum(times[:4]) * 1000
    return spent


def _part(words: str) -> str:
    if "webserver" in words:
        return "web"
    return "database" if "postgres" in words else "worker"
