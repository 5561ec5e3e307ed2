"""The running database server: started as a child, ready when it says so, stopped quickly."""

import os
import signal
import stat
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from agents_core.embedded import binaries, orphans
from agents_core.embedded.child import Identity, spawn
from agents_core.embedded.errors import DatabaseUnavailable, explain
from agents_core.embedded.initialise import initialise, owner
from agents_core.embedded.place import NAME, PORT, Place

_LOG_BYTES = 10_000_000
# A socket's address has 108 bytes, the last one zero (104 on macOS).
_SOCKET_PATH_BYTES = 103

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": str(PORT),
    "max_connections": "100",
    "shared_buffers": "128MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "synchronous_commit": "on",
    # Nobody follows this server's log of changes: less is written.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    "log_line_prefix": "%m [%p] ",
}
# Lost with the machine's power, but not with a killed process. Connections for a process of tests on each core of a large machine.
_FOR_TESTS = {"fsync": "off", "full_page_writes": "off", "max_connections": "500"}


class Cluster:
    """One PostgreSQL server on the data of one home folder. The caller holds the home's lock.

    Args:
        place: where it lives.
        durable: off only for tests, whose data may be lost with the machine's power.
    """

    def __init__(self, place: Place, durable: bool = True) -> None:
        self.place = place
        self.durable = durable
        self.process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def connection(self) -> dict[str, Any]:
        """libpq parameters."""
        return self.place.connection()

    def ended(self) -> bool:
        """Whether the server has ended by itself."""
        return self.process is not None and self.process.poll() is not None

    def start(self) -> None:
        """Makes the data folder if there is none, heals what a kill has left, and starts the server without waiting.

        Raises ``DatabaseUnavailable``.
        """
        if not self.place.data.exists():
            initialise(self.place, self.durable)
        orphans.clear(self.place.data)
        identity = owner(self.place)
        programs = binaries.folder()
        try:
            folder = _socket_folder(self.place, identity)
            if identity:
                identity = identity.able_to_reach(self.place.data / "base", folder / "socket", programs / "postgres")
            self._launch(programs, folder, identity)
        except OSError as error:
            raise explain(f"{error.strerror} error: {error}", self.place.home) from error

    def _launch(self, programs: Path, folder: Path, identity: Identity | None) -> None:
        settings = _SETTINGS | ({} if self.durable else _FOR_TESTS)
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with _open_log(self.place.log) as log:
            self._log_start = log.tell()
            self.process = spawn(
                [programs / "postgres", "-D", self.place.data, "-k", folder, *options],
                identity=identity,
                death_signal=signal.SIGINT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.place.data,
            )

    def wait(self) -> None:
        """Returns when connections are taken. Recovery after a crash may last: there is no limit but the server's end.

        Raises ``DatabaseUnavailable`` when the server ends instead, saying why.
        """
        assert self.process, "start() comes first"
        while not self._says_ready():
            if self.process.poll() is not None:
                raise explain(self._said(), self.place.home)
            time.sleep(0.005)
        self._ensure_database()

    def stop(self) -> None:
        """Ends the server: open transactions are rolled back, all that was committed is on disk."""
        if self.process is None:
            return
        for how, patience_s in ((signal.SIGINT, 1.0), (signal.SIGQUIT, 0.3), (signal.SIGKILL, None)):
            if self.process.poll() is None:
                self.process.send_signal(how)
            try:
                self.process.wait(patience_s)
                break
            except subprocess.TimeoutExpired:
                continue
        self.process = None

    def _says_ready(self) -> bool:
        """The eighth line of the lock file holds the state, the first one whose it is."""
        assert self.process
        try:
            lines = (self.place.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready"

    def _said(self) -> str:
        with open(self.place.log, "rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def _ensure_database(self) -> None:
        import psycopg

        try:
            psycopg.connect(**self.connection).close()
        except psycopg.OperationalError as error:
            if f'database "{NAME}" does not exist' not in str(error):
                raise DatabaseUnavailable(f"The database in {self.place.home} refuses us: {error}.") from error
            self._create_database()

    def _create_database(self) -> None:
        import psycopg

        # In the template, so that the databases of tests have the extension too.
        with psycopg.connect(**self.place.connection("template1"), autocommit=True) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        with psycopg.connect(**self.place.connection("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {NAME}")


def _open_log(path: Path) -> BinaryIO:
    with suppress(FileNotFoundError):
        if path.stat().st_size > _LOG_BYTES:
            path.replace(path.with_suffix(".log.old"))
    return open(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")


def _socket_folder(place: Place, identity: Identity | None) -> Path:
    """A folder that only the server and we may enter, under the home folder if its path is short enough."""
    folder = place.socket_folder
    if not _fits(folder) or not _ours(folder, identity):
        folder = Path(tempfile.mkdtemp(prefix="mnemoscope-"))
        place.socket_record.write_text(str(folder), encoding="utf-8")
    if identity:
        os.chown(folder, identity.uid, identity.gid)
    return folder


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= _SOCKET_PATH_BYTES


def _ours(folder: Path, identity: Identity | None) -> bool:
    """Makes the folder if it is not there; one that somebody else made in a shared place is not used."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    owners = {os.geteuid(), identity.uid if identity else os.geteuid()}
    return stat.S_ISDIR(found.st_mode) and found.st_uid in owners and not found.st_mode & 0o077
