"""Everything in one command: the database, the web server, a worker.

This process loads neither Django's apps nor models: it is up at once, and its children load them side by side.
"""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from agents_core.embedded.child import spawn
from agents_core.embedded.cluster import Cluster
from agents_core.embedded.errors import DatabaseUnavailable
from agents_core.embedded.lock import HomeLock
from agents_core.embedded.outside import OutsideDatabase
from agents_core.embedded.place import Place
from agents_core.management.listener import listen
from agents_core.management.supervisor import Child, stop_all

_STOP_PATIENCE_S = 2.0
_LOOK_EVERY_S = 0.1
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class Command(BaseCommand):
    help = "Starts the database, the web server and a worker, and stops them together on Ctrl-C."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._refuse_open_door()
            self._serve()
        except (ImproperlyConfigured, DatabaseUnavailable) as error:
            raise CommandError(str(error)) from None

    def _refuse_open_door(self) -> None:
        if not settings.PASSWORD and not _is_loopback(settings.HOST):
            raise CommandError(
                f"HOST={settings.HOST} lets other machines in, so a password is needed: set MNEMOSCOPE_PASSWORD "
                "(or MNEMOSCOPE_PASSWORD_FILE), or leave HOST at 127.0.0.1."
            )

    def _serve(self) -> None:
        self._began_at = time.monotonic()
        with listen(settings.HOST, settings.PORT) as listener:
            lock = HomeLock(Place(settings.HOME).lock, note=f"port {settings.PORT}")
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, _interrupt)
            self._run(listener)
            lock.release()

    def _run(self, listener: socket.socket) -> None:
        database = _database()
        web, worker = children = _children(listener)
        try:
            # It loads while the database starts, and asks nothing of it before the first request.
            web.start()
            self._start_database(database, web)
            worker.start()
            threading.Thread(target=self._announce, args=(listener.getsockname(),), daemon=True).start()
            while True:
                self._tend(database, children)
                time.sleep(_LOOK_EVERY_S)
        except KeyboardInterrupt:
            self._say("Stopping.")
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            stop_all(children, _STOP_PATIENCE_S)
            database.stop()

    def _start_database(self, database: Cluster | OutsideDatabase, web: Child) -> None:
        if settings.EMBEDDED_DATABASE and not Place(settings.HOME).data.exists():
            self._say(f"Making a database in {settings.HOME}.")
        database.start()
        database.wait()
        if not _has_every_migration(database):
            self._say("Bringing the database up to date.")
            web.stop(patience_s=0)
            self._prepare()
            web.start()
        self._say("The database is ready.")

    def _prepare(self) -> None:
        process = spawn([sys.executable, Path(settings.BASE_DIR, "manage.py"), "prepare"], env=_environment())
        try:
            status = process.wait()
        except KeyboardInterrupt:
            process.kill()
            process.wait()
            raise
        if status:
            raise DatabaseUnavailable("The database could not be brought up to date: the lines above say why.")

    def _tend(self, database: Cluster | OutsideDatabase, children: tuple[Child, ...]) -> None:
        if database.ended():
            self._say("The database ended: starting it again.")
            database.start()
            database.wait()
            self._say("The database is back.")
        for child in children:
            if told := child.tend():
                self._say(told)

    def _announce(self, address: tuple[Any, ...]) -> None:
        """Tells the address when the web server answers there; the socket takes connections long before."""
        host, port = _ANYWHERE.get(address[0], address[0]), address[1]
        while True:
            try:
                connection = http.client.HTTPConnection(host, port, timeout=60)
                connection.request("GET", "/v1/health/", headers={"Host": f"localhost:{port}"})
                connection.getresponse().read()
                break
            except (OSError, http.client.HTTPException):
                time.sleep(_LOOK_EVERY_S)
        shown = "localhost" if _is_loopback(address[0]) else address[0]
        self._say(f"Mnemoscope is at http://{shown}:{port}  (Ctrl-C stops it)")

    def _say(self, line: str) -> None:
        self.stdout.write(f"[{time.monotonic() - self._began_at:5.1f} s] {line}")
        self.stdout.flush()


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _is_loopback(host: str) -> bool:
    return host == "localhost" or host == "::1" or host.startswith("127.")


def _database() -> Cluster | OutsideDatabase:
    if settings.EMBEDDED_DATABASE:
        return Cluster(Place(settings.HOME))
    database = settings.DATABASES["default"]
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    given = {libpq: database[name] for name, libpq in names.items() if database[name]}
    return OutsideDatabase(given | {name: value for name, value in database["OPTIONS"].items() if name != "pool"})


def _has_every_migration(database: Cluster | OutsideDatabase) -> bool:
    import psycopg

    from agents_core.management.migrated import is_current

    with psycopg.connect(**database.connection) as connection:
        return is_current(connection, settings.INSTALLED_APPS)


def _children(listener: socket.socket) -> tuple[Child, Child]:
    """The web server and the worker."""
    web = [sys.executable, "-m", "agents_core.management.webserver", str(listener.fileno())]
    common: dict[str, Any] = {"env": _environment(), "stdin": subprocess.DEVNULL}
    return (
        Child("web server", web, pass_fds=[listener.fileno()], **common),
        Child("worker", [sys.executable, Path(settings.BASE_DIR, "manage.py"), "agent_worker"], **common),
    )


def _environment() -> dict[str, str]:
    """Ours, with the project importable from whatever folder the command was given in."""
    paths = [str(settings.BASE_DIR), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "MNEMOSCOPE_HOME": str(settings.HOME)}
