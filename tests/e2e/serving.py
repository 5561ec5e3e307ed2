"""A real ``manage.py serve`` in a process of its own."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """``serve`` on the data of ``home``, with ``settings`` added to the environment.

    As a context manager it is up on entry, and killed on exit if a test has left it running.
    """

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        self.port = int(settings.get("PORT", free_port()))
        self._settings = settings
        self._log = home.parent / f"serve-{self.port}.log"

    def launch(self) -> "Server":
        hidden = {"DATABASE_URL", "DJANGO_SETTINGS_MODULE"}
        inherited = {name: value for name, value in os.environ.items() if name not in hidden}
        environment = inherited | {"MNEMOSCOPE_HOME": str(self.home), "PORT": str(self.port)} | self._settings
        with open(self._log, "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, PROJECT / "manage.py", "serve"], env=environment, stdout=log, stderr=log
            )
        return self

    def __enter__(self) -> "Server":
        self.launch()
        try:
            self.wait_for("Mnemoscope is at")
        except BaseException:
            self.process.kill()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def output(self) -> str:
        return self._log.read_text(errors="replace")

    def wait_for(self, words: str, times: int = 1) -> None:
        """Returns when ``words`` have been printed so often. Raises when the server ends or two minutes pass instead."""
        give_up_at = time.monotonic() + PATIENCE_S
        while self.output.count(words) < times:
            assert self.process.poll() is None, f"serve ended:\n{self.output}"
            assert time.monotonic() < give_up_at, f"no {words!r} in:\n{self.output}"
            time.sleep(0.02)

    def stop(self, how: int = signal.SIGINT) -> int:
        """Ends the server by a signal and gives its exit status."""
        self.process.send_signal(how)
        return self.process.wait(PATIENCE_S)

    def ask(
        self, path: str, method: str = "GET", body: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        return response, response.read()

    def child(self, words: str) -> psutil.Process:
        """The one child whose command line holds ``words``."""
        children = psutil.Process(self.process.pid).children()
        found = [child for child in children if words in _command(child)]
        assert len(found) == 1, found
        return found[0]

    def left(self) -> list[psutil.Process]:
        """Every process that has to do with this home, waited for a moment: the kernel ends them one after another."""
        left: list[psutil.Process] = psutil.wait_procs(_of(self.home), timeout=5)[1]
        return left


def _command(process: psutil.Process) -> str:
    """Its command line; nothing of one that is dying."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _of(home: Path) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if _belongs(process, home)]


def _belongs(process: psutil.Process, home: Path) -> bool:
    def read(what: Any) -> Any:
        try:
            return what()
        except psutil.Error:
            return None

    environment: dict[str, str] = read(process.environ) or {}
    ours = environment.get("MNEMOSCOPE_HOME") == str(home) or (read(process.cwd) or "").startswith(str(home))
    return ours and process.pid != os.getpid()
