"""PostgreSQL processes that outlived the server which started them."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

_PATIENCE_S = 10.0


def clear(data: Path) -> None:
    """Ends every process that still works in ``data`` and heals a stale lock file. The caller holds the home's lock.

    PostgreSQL's own check takes any live process with the number in its lock file for a running server; here a
    process counts only when ``data`` is its working folder, so a number given out again does no harm.
    """
    lock = data / "postmaster.pid"
    if lock.exists():
        _end_all_in(data, lock)


def _end_all_in(data: Path, lock: Path) -> None:
    import psutil

    left = _workers_in(data)
    _ask_to_stop(lock, left)
    _, stubborn = psutil.wait_procs(left, timeout=_PATIENCE_S)
    for process in stubborn:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=_PATIENCE_S)
    lock.unlink(missing_ok=True)


def _workers_in(data: Path) -> "list[psutil.Process]":
    import psutil

    return [process for process in psutil.process_iter() if _works_in(process, data)]


def _works_in(process: "psutil.Process", data: Path) -> bool:
    import psutil

    try:
        return process.pid != os.getpid() and data.samefile(process.cwd()) and "postgres" in process.name()
    except (psutil.Error, OSError):
        return False


def _ask_to_stop(lock: Path, processes: "list[psutil.Process]") -> None:
    """SIGINT to the chief ends the whole server cleanly; without a chief its processes notice and end by themselves."""
    with suppress(ValueError, IndexError, OSError):
        chief = int(lock.read_text(encoding="utf-8").splitlines()[0])
        if chief in {process.pid for process in processes}:
            os.kill(chief, signal.SIGINT)
            # One that is just starting up hears nothing yet.
            time.sleep(0.01)
