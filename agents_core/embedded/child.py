"""Child processes that end with their parent and, started by root, run as somebody else."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents_core.embedded.errors import DatabaseUnavailable

_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Identity:
    """Whom a child runs as. ``capability`` is the number of the Linux capability it keeps, if any."""

    uid: int
    gid: int
    capability: int | None = None

    def able_to_reach(self, *paths: Path) -> "Identity":
        """This identity, with the capability to pass folders closed to it when one of ``paths`` lies behind one.

        Raises ``DatabaseUnavailable`` when that is needed and this process cannot give it.
        """
        closed = [path for path in paths if not self._reaches(path)]
        if not closed:
            return self
        for capability in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE):
            if _permitted() & (1 << capability):
                return Identity(self.uid, self.gid, capability)
        raise DatabaseUnavailable(
            f"PostgreSQL does not run as root, and another user cannot reach {closed[0]}: "
            "start the server as an ordinary user, or move it to a folder that others may pass."
        )

    def _reaches(self, path: Path) -> bool:
        def passes(folder: Path) -> bool:
            found = folder.stat()
            return bool(found.st_mode & (0o100 if found.st_uid == self.uid else 0o001))

        return all(passes(folder) for folder in path.resolve().parents)


def spawn(
    command: Sequence[str | Path],
    *,
    identity: Identity | None = None,
    death_signal: int = signal.SIGKILL,
    **options: Any,
) -> subprocess.Popen[bytes]:
    """A child in a session of its own, so that a Ctrl-C at the terminal reaches it only through its parent.

    On Linux it is sent ``death_signal`` when the calling thread ends, however it ends: call from the main thread.
    """
    prepare = _prepare(identity, death_signal, os.getpid()) if _libc else None
    return subprocess.Popen(command, start_new_session=True, preexec_fn=prepare, **options)  # noqa: PLW1509


def _prepare(identity: Identity | None, death_signal: int, parent: int) -> Callable[[], None]:
    def prepare() -> None:
        if identity:
            _become(identity)
        _prctl(_PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def _become(identity: Identity) -> None:
    if identity.capability is not None:
        _prctl(_PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setgid(identity.gid)
    os.setuid(identity.uid)
    if identity.capability is not None:
        _keep_only(identity.capability)


def _keep_only(capability: int) -> None:
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    bit = 1 << capability
    effective_permitted_inheritable = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    assert _libc
    if _libc.capset(header, effective_permitted_inheritable):
        raise OSError(ctypes.get_errno(), "capset")
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)


def _prctl(option: int, *arguments: int) -> None:
    assert _libc
    padded = [*arguments, 0, 0, 0, 0][:4]
    if _libc.prctl(option, *[ctypes.c_ulong(argument) for argument in padded]):
        raise OSError(ctypes.get_errno(), f"prctl {option}")


def _permitted() -> int:
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1], 16) for line in lines if line.startswith("CapPrm:")), 0)
