"""One server to a home folder."""

import fcntl
import os
from pathlib import Path

from agents_core.embedded.errors import DatabaseUnavailable


class HomeLock:
    """Held by the running server, freed by the kernel however it ends.

    Raises ``DatabaseUnavailable`` naming the process that holds it.
    """

    def __init__(self, path: Path, note: str) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(self._file, 1000).decode(errors="replace") or "another process"
            os.close(self._file)
            raise DatabaseUnavailable(
                f"The folder {path.parent} is in use by {holder}: stop that one, or set MNEMOSCOPE_HOME to another."
            ) from None
        os.truncate(self._file, 0)
        os.write(self._file, f"process {os.getpid()}, {note}".encode())

    def release(self) -> None:
        os.close(self._file)
