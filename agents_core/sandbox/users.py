"""User ids for running strangers' code when the server itself is root, and the count of what a user runs already."""

import platform
import pwd
import random
import socket
from pathlib import Path
from typing import NamedTuple

# systemd's range for users that exist only while a service runs: no person or package has one.
_SPARE = range(61184, 65520)
_LIMIT_COUNTS_BY_NAMESPACE = (5, 14)


class SpareUser(NamedTuple):
    uid: int
    claim: socket.socket
    """Holds the uid for this process, against other servers on the machine, until closed."""


def claim_spare_user() -> SpareUser:
    """A uid without an account that no other server holds. Raises ``OSError`` when all are taken."""
    for uid in random.sample(_SPARE, len(_SPARE)):
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            claim.bind(f"\0mnemoscope-sandbox-uid-{uid}")
        except OSError:
            claim.close()
            continue
        if not _has_account(uid):
            return SpareUser(uid, claim)
        claim.close()
    raise OSError("every spare user id is taken")


def _has_account(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def limit_counts_by_namespace() -> bool:
    """Whether RLIMIT_NPROC counts per user namespace (Linux 5.14 on) and not all a user runs anywhere."""
    version = platform.release().split(".")
    return (int(version[0]), int(version[1].split("-")[0])) >= _LIMIT_COUNTS_BY_NAMESPACE


def threads_of(uid: int) -> int:
    """How many threads ``uid`` runs now."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == uid:
                total += sum(1 for _ in (process / "task").iterdir())
        except OSError:
            continue  # It ended in the meantime.
    return total
