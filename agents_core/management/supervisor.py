"""Children that are started again when they end, and ended together."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from agents_core.embedded.child import spawn

_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 30.0
# A child that ran this long was well: its next failure counts as a first one.
_WELL_AFTER_S = 60.0


class Child:
    """One process that should always run.

    Args:
        name: for messages, such as "web server".
        command: its arguments.
        options: for ``subprocess.Popen``.
    """

    def __init__(self, name: str, command: Sequence[str | Path], **options: Any) -> None:
        self.name = name
        self._command = command
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._start_again_at = 0.0
        self._delay_s = _FIRST_DELAY_S

    def start(self) -> None:
        self._process = spawn(self._command, **self._options)
        self._started_at = time.monotonic()

    def tend(self) -> str | None:
        """Starts the child again when it has ended, later each time it fails soon; gives what there is to tell."""
        if self._process is None:
            if time.monotonic() >= self._start_again_at:
                self.start()
            return None
        status = self._process.poll()
        if status is None:
            return None
        self._end_group()
        self._process = None
        if time.monotonic() - self._started_at > _WELL_AFTER_S:
            self._delay_s = _FIRST_DELAY_S
        self._start_again_at = time.monotonic() + self._delay_s
        told = f"The {self.name} ended ({_how(status)}): starting it again in {self._delay_s:g} s."
        self._delay_s = min(self._delay_s * 2, _LONGEST_DELAY_S)
        return told

    def ask_to_stop(self) -> None:
        if self._process:
            self._process.terminate()

    def stop(self, patience_s: float) -> None:
        """Returns when the child and all it started are gone."""
        if self._process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(patience_s)
        self._end_group()
        self._process.wait()
        self._process = None

    def _end_group(self) -> None:
        assert self._process
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


def stop_all(children: Sequence[Child], patience_s: float) -> None:
    """Ends all within about ``patience_s``: those that do not end when asked are killed."""
    deadline = time.monotonic() + patience_s
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.stop(max(0.0, deadline - time.monotonic()))


def _how(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"status {status}"
