"""What can go wrong with the database, as sentences a person can act on."""

from pathlib import Path

from agents_core.errors import Unavailable


class DatabaseUnavailable(Unavailable):
    """The database cannot be made, started or used; the message says why and what to do."""

    code = "database_unavailable"


_ADVICE = {
    "No space left on device": (
        "The disk that holds {home} is full: free some space, or set MNEMOSCOPE_HOME to a folder on another."
    ),
    "incompatible with server": (
        "The database in {home} was made by another major version of PostgreSQL than the one installed here: "
        "install the version of Mnemoscope that made it, or set MNEMOSCOPE_HOME to another folder."
    ),
    "Read-only file system": "The folder {home} is on a read-only disk: set MNEMOSCOPE_HOME to another one.",
    "Permission denied": "PostgreSQL may not use a file in {home}: it must belong to the user who started it first.",
    "could not create shared memory": "The machine has no shared memory left for PostgreSQL: free some, start again.",
}


def explain(output: str, home: Path) -> DatabaseUnavailable:
    """The error that tells what PostgreSQL's own ``output`` means, with its last complaint quoted."""
    complaints = [line for line in output.splitlines() if any(word in line for word in ("FATAL", "PANIC", "error:"))]
    for sign, advice in _ADVICE.items():
        if sign in output:
            return DatabaseUnavailable(advice.format(home=home))
    said = complaints[-1] if complaints else (output.strip().splitlines() or ["nothing"])[-1]
    return DatabaseUnavailable(f"PostgreSQL does not start. It said: {said} (its log is in {home}).")
