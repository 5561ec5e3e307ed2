"""Packages of tools: one folder for each set of requirements, made once by uv from wheels, never written to again.

The folders are a cache of this machine, so what is known of them stands beside them and not in the database: ``<digest>`` is the
folder itself, ``.log`` what uv said, ``.failed`` why there is no folder, ``.lock`` what the one process holds that makes it.
"""

import asyncio
import fcntl
import logging
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import distributions
from pathlib import Path
from threading import Thread
from typing import ClassVar, Literal

from agents_core.conf import conf
from agents_core.errors import Unavailable
from agents_core.tools.install_words import reason

logger = logging.getLogger(__name__)

State = Literal["absent", "installing", "installed", "failed"]

LONGEST_S = 900.0
"""Seconds that one installation may take."""
_RETRY_S = 60.0
_POLL_S = 0.1
_LOG_BYTES = 64 * 1024
_UNUSED_S = 3600.0
_LOCK_TRIES = 5


class PackagesUnavailable(Unavailable):
    """A tool's packages are not there: they are still being installed, or could not be. The message says which, and why."""

    code: ClassVar[str] = "packages_unavailable"


@dataclass(frozen=True, slots=True)
class PackageSet:
    """Requirements (``requirements.requirement`` wrote each, in order) and the folder that holds them for the Python that runs this."""

    requirements: tuple[str, ...]

    @property
    def digest(self) -> str:
        platform = f"{sys.implementation.cache_tag} {sysconfig.get_platform()}"
        return sha256("\n".join((platform, *self.requirements)).encode()).hexdigest()

    @property
    def folder(self) -> Path:
        return packages_folder() / self.digest

    def _beside(self, suffix: str) -> Path:
        return packages_folder() / f"{self.digest}{suffix}"

    @property
    def state(self) -> State:
        if self.folder.is_dir():
            return "installed"
        if _is_locked(self._beside(".lock")):
            return "installing"
        return "failed" if self._beside(".failed").exists() else "absent"

    @property
    def failure(self) -> str:
        """Why the last attempt gave no folder, as a sentence; empty when none failed."""
        return _text(self._beside(".failed"))

    @property
    def log(self) -> str:
        """What uv has said so far: the last 64 KiB."""
        return _text(self._beside(".log"))

    @property
    def installed(self) -> list[str]:
        """Name and version of each package in the folder, those that were not asked for too."""
        return sorted(f"{one.name} {one.version}" for one in distributions(path=[str(self.folder)]))

    def start(self) -> None:
        """Begins to install what is not there, beside all else; a set that failed is tried again. ``state`` tells of it at once."""
        if self.requirements and (lock := self._lock()) is not None:
            Thread(target=self._install, args=(lock,), name=f"packages {self.digest[:8]}", daemon=True).start()

    def install(self) -> None:
        """Makes the folder, or leaves the reason why not in ``failure``; nothing is done while another process is at it."""
        if (lock := self._lock()) is not None:
            self._install(lock)

    def _lock(self) -> int | None:
        packages_folder().mkdir(mode=0o755, parents=True, exist_ok=True)
        return _lock(self._beside(".lock"))

    def _install(self, lock: int) -> None:
        try:
            if not self.folder.is_dir():
                self._beside(".failed").unlink(missing_ok=True)
                self._make(lock)
        except (OSError, subprocess.SubprocessError) as error:
            logger.warning("Packages %s were not installed: %s", self.requirements, error)
            self._beside(".failed").write_text(_told(error, self.log))
        finally:
            os.close(lock)

    def _make(self, lock: int) -> None:
        new = self._beside(".new")
        _remove(new)
        with self._beside(".log").open("wb") as log:
            # The lock is uv's too: should this process be killed, nobody else begins while uv still writes.
            subprocess.run(
                _command(new, self.requirements),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=packages_folder(),
                env={**os.environ, "NO_COLOR": "1"},
                pass_fds=(lock,),
                timeout=LONGEST_S,
                check=True,
            )
        new.mkdir(exist_ok=True)
        _make_read_only(new)
        new.rename(self.folder)

    async def ready(self, within_s: float) -> str:
        """The folder, once it is there; empty without requirements. A set that is not there is installed, one that failed a minute
        ago or more is tried again.

        Raises ``PackagesUnavailable``.
        """
        if not self.requirements:
            return ""
        deadline = time.monotonic() + within_s
        self._forget_old_failure()
        while (state := self.state) != "installed":
            if state == "failed":
                raise PackagesUnavailable(f"The tool's packages could not be installed. {self.failure}")
            if state == "absent":  # Never asked for; or whoever was at it was killed.
                self.start()
            if time.monotonic() > deadline:
                raise PackagesUnavailable(
                    f"The tool's packages ({', '.join(self.requirements)}) are still being installed: call it again in a minute."
                )
            await asyncio.sleep(_POLL_S)
        with suppress(OSError):
            os.utime(self.folder)  # When it was last used: see ``remove_unused``.
        return str(self.folder)

    def _forget_old_failure(self) -> None:
        failed = self._beside(".failed")
        with suppress(FileNotFoundError):
            if time.time() - failed.stat().st_mtime > _RETRY_S:
                failed.unlink()


def packages_folder() -> Path:
    return conf().home / "packages"


def remove_unused(used: Sequence[PackageSet]) -> int:
    """Removes the sets that are not among ``used`` and that nobody used for an hour, half-made ones too; gives how many."""
    there = {path.name.partition(".")[0] for path in packages_folder().glob("*")}
    return sum(map(_remove_set, there - {packages.digest for packages in used}))


def _remove_set(digest: str) -> bool:
    places = [packages_folder() / f"{digest}{suffix}" for suffix in ("", ".new", ".log", ".failed")]
    there = [place for place in places if place.exists()]
    if not there or any(time.time() - place.stat().st_mtime < _UNUSED_S for place in there):
        return False
    if (lock := _lock(packages_folder() / f"{digest}.lock")) is None:
        return False
    for place in there:
        _remove(place)
    os.close(lock)
    return True


def _command(target: Path, requirements: Sequence[str]) -> list[str]:
    """Wheels only: a source distribution would run its author's code here, outside any sandbox."""
    options = ["--only-binary", ":all:", "--link-mode", "copy", "--compile-bytecode", "--no-progress"]
    install = [sys.executable, "-m", "uv", "pip", "install", "--python", sys.executable, "--target", str(target)]
    return [*install, *options, "--", *requirements]


def _told(error: Exception, log: str) -> str:
    if isinstance(error, subprocess.TimeoutExpired):
        return f"It took longer than {LONGEST_S / 60:.0f} minutes and was stopped."
    if isinstance(error, subprocess.CalledProcessError):
        return reason(log, error.returncode)
    return f"Its folder could not be written: {error}."


def _make_read_only(folder: Path) -> None:
    for parent, _, files in os.walk(folder):
        for name in files:
            path = Path(parent, name)
            if not path.is_symlink():
                path.chmod(0o555 if path.stat().st_mode & 0o100 else 0o444)
        Path(parent).chmod(0o555)


def _remove(place: Path) -> None:
    if place.is_file():
        place.unlink()
        return
    for parent, _, _ in os.walk(place):
        Path(parent).chmod(0o755)
    shutil.rmtree(place, ignore_errors=True)


def _lock(path: Path) -> int | None:
    """A descriptor that holds the lock until it is closed; None while another holds it. The kernel frees it however a process ends."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if _take(file, tries=_LOCK_TRIES):
        return file
    os.close(file)
    return None


def _take(file: int, tries: int) -> bool:
    """``_is_locked`` takes a lock too, for a moment: one refusal means nothing."""
    for _ in range(tries):
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.01)
    return False


def _is_locked(path: Path) -> bool:
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _take(file, tries=1)
    finally:
        os.close(file)


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return ""
    return data[-_LOG_BYTES:].decode(errors="replace")
