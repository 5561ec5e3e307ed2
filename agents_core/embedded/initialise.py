"""Making the data folder: whole or not at all."""

import os
import pwd
import secrets
import shutil
import subprocess
from pathlib import Path

from agents_core.embedded import binaries
from agents_core.embedded.child import Identity, spawn
from agents_core.embedded.errors import DatabaseUnavailable, explain
from agents_core.embedded.place import NAME, Place

_FIRST_SPARE_UID = 58283


def owner(place: Place) -> Identity | None:
    """Whom PostgreSQL runs as, since it refuses root: nobody else but us, unless we are root.

    The owner of a data folder that is there, otherwise a number no user of this machine has: a uid of its own
    keeps every other program away from the files, and from being taken for a PostgreSQL that still runs.
    """
    if os.geteuid():
        return None
    if place.data.exists():
        found = place.data.stat()
        return Identity(found.st_uid, found.st_gid)
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    spare = next(uid for uid in range(_FIRST_SPARE_UID, 65000) if uid not in taken)
    return Identity(spare, spare)


def initialise(place: Place, durable: bool = True) -> None:
    """Makes the data folder and the password, in about a second.

    A folder left half made by a killed start is made anew. Raises ``DatabaseUnavailable``.
    """
    draft = place.home / "postgres.new"
    shutil.rmtree(draft, ignore_errors=True)
    try:
        _password(place)
        draft.mkdir(mode=0o700)
        _initdb(place, draft, durable)
        (draft / "data").replace(place.data)
    except OSError as error:
        raise explain(f"{error.strerror} error: {error}", place.home) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _password(place: Place) -> None:
    with os.fdopen(os.open(place.password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(32))


def _initdb(place: Place, draft: Path, durable: bool) -> None:
    password_file = draft / "password"
    shutil.copy(place.password_file, password_file)
    programs = binaries.folder()
    identity = _maker()
    if identity:
        for path in (draft, password_file):
            os.chown(path, identity.uid, identity.gid)
        identity = identity.able_to_reach(draft / "data", programs / "initdb")
    command = [
        *(programs / "initdb", "-D", draft / "data", "-U", NAME, "--pwfile", password_file, "-A", "scram-sha-256"),
        *("-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"),
        # The password is 32 random bytes: stretching it would only cost each new connection some milliseconds.
        *("--set", "scram_iterations=1"),
        *(() if durable else ("--no-sync",)),
    ]
    process = spawn(command, identity=identity, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=draft)
    output = process.communicate()[0].decode(errors="replace")
    if process.returncode:
        raise explain(output, place.home)
    _hand_over(draft / "data", owner(place))


def _maker() -> Identity | None:
    """Whom ``initdb`` runs as: it wants a user with a name, which a spare number has not."""
    if os.geteuid():
        return None
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise DatabaseUnavailable(
            "This machine has no user 'nobody' to make the database with: start as an ordinary user."
        ) from None
    return Identity(nobody.pw_uid, nobody.pw_gid)


def _hand_over(folder: Path, identity: Identity | None) -> None:
    if identity is None:
        return
    for parent, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            os.chown(Path(parent, name), identity.uid, identity.gid, follow_symlinks=False)
