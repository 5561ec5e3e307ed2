"""Homes that a first start has filled, for tests of what comes after it: made once for all processes of a run, then copied."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

from agents_core.embedded.cluster import Cluster
from agents_core.embedded.place import Place
from tests.e2e.serving import PROJECT

SAID = "prepared.log"
"""In a filled home: what its first start said, the administrator's password among it."""


def filled(home: Path) -> Path:
    """Makes ``home``, with a database that is up to date, and gives it."""
    original = Path(os.environ["MNEMOSCOPE_HOME"]) / "filled"
    with open(original.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not original.exists():
            draft = original.with_suffix(".new")
            _fill(draft)
            draft.rename(original)
    subprocess.run(["cp", "-a", original, home], check=True)
    return home


def _fill(home: Path) -> None:
    home.mkdir()
    cluster = Cluster(Place(home), durable=False)
    cluster.start()
    try:
        cluster.wait()
        inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        environment = inherited | {"MNEMOSCOPE_HOME": str(home)}
        with open(home / SAID, "wb") as said:
            command = [sys.executable, PROJECT / "manage.py", "prepare"]
            subprocess.run(command, env=environment, check=True, stdout=said)
    finally:
        cluster.stop()
    Place(home).socket_record.unlink(missing_ok=True)  # A copy that kept it would use the same folder.
