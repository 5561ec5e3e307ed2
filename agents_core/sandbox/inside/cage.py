"""How a call is shut in: by namespaces of its own (inside bubblewrap's), or by Landlock under the host's kernel alone.

A cage is used by two processes, the supervisor and the one that will run the tool. Both do beforehand what does not
depend on the request, while nobody waits.
"""

import contextlib
import os
import resource
import signal
import sys
from typing import Any, Protocol

from agents_core.sandbox.inside import landlock, libc, scratch, seccomp

_SCRATCH_FILES = 4096
_SCRATCH_PREFIX = "mnemoscope-tool-"
_GUARDED = libc.MS_NOSUID | libc.MS_NODEV
_OPEN_FILES = 64  # What sockets and pipes hold unread is counted to no process: this and the processes bound it.
_INNER_ID = 1000
_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/full")


class Cage(Protocol):
    scratch: str
    """The one folder the tool may write to."""

    def prepare(self) -> None:
        """Done by the supervisor, before it forks and before the request is there."""
        ...

    def admit(self, request: dict[str, Any]) -> None:
        """Done by the supervisor when the request is there."""
        ...

    def begin(self) -> None:
        """Done by the process to be shut in, before the request is there."""
        ...

    def enter(self, request: dict[str, Any]) -> tuple[int, ...]:
        """Shut the process in. Raises ``OSError`` when the kernel refuses a wall; the tool must then not run.

        Gives the descriptor that ``door`` answers, none when the call has no network.
        """
        ...

    def scratch_bytes(self, proc: int, processes: list[int]) -> int:
        """What the tool keeps in ``scratch``. ``proc`` is a descriptor of /proc, ``processes`` are the tool's."""
        ...

    def kill(self, pid: int) -> None: ...

    def clean(self) -> None: ...


class NamespaceCage:
    """User, process, mount and IPC namespaces per call; an empty /tmp in memory; /proc covered."""

    scratch = "/tmp"

    def __init__(self) -> None:
        self._filters = Filters(under_landlock=False)

    def prepare(self) -> None:
        outer = os.getuid(), os.getgid()
        libc.unshare(libc.CLONE_NEWUSER | libc.CLONE_NEWPID | libc.CLONE_NEWNS | libc.CLONE_NEWIPC)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{_INNER_ID} {outer[0]} 1")
        _write("/proc/self/gid_map", f"{_INNER_ID} {outer[1]} 1")

    def admit(self, request: dict[str, Any]) -> None:
        """Nothing depends on the request before the process enters."""

    def begin(self) -> None:
        libc.mount_tmpfs("/proc", _GUARDED | libc.MS_RDONLY | libc.MS_NOEXEC, "size=4k,nr_inodes=1,mode=0555")

    def enter(self, request: dict[str, Any]) -> tuple[int, ...]:
        size = request["limits"]["scratch_bytes"]
        libc.mount_tmpfs(self.scratch, _GUARDED, f"size={size},nr_inodes={_SCRATCH_FILES},mode=0700")
        os.chdir(self.scratch)
        set_limits(request, of_ours=1)  # The supervisor is in the namespace whose processes are counted.
        libc.drop_capabilities()
        return self._filters.install(request)

    def scratch_bytes(self, proc: int, processes: list[int]) -> int:
        space = os.statvfs(self.scratch)
        return (space.f_blocks - space.f_bfree) * space.f_frsize

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)  # The first process of its namespace: all others die with it.

    def clean(self) -> None:
        """The mounts went with their namespace."""


class LandlockCage:
    """Landlock and seccomp around a process of its own session, under a user id of its own when started by root."""

    def __init__(self, readable: list[str], importable: list[str]) -> None:
        self._filters = Filters(under_landlock=True)
        self._readable = readable
        self._importable = importable
        self.scratch = ""
        _remove_leftovers()

    def prepare(self) -> None:
        libc.prctl(libc.PR_SET_CHILD_SUBREAPER, 1)
        self.scratch = f"{_shared_scratch()}/{_SCRATCH_PREFIX}{os.getppid()}-{os.urandom(8).hex()}"
        os.mkdir(self.scratch, 0o700)  # noqa: PTH102 - as in this whole package, no pathlib

    def admit(self, request: dict[str, Any]) -> None:
        if request["uid"] is not None:
            os.chown(self.scratch, request["uid"], request["uid"])

    def begin(self) -> None:
        self._rules = landlock.ruleset(self._readable, _DEVICES, self.scratch)  # As the user who can reach them all.
        self._folders = {path: os.open(path, os.O_PATH) for path in self._importable}
        os.chdir(self.scratch)

    def enter(self, request: dict[str, Any]) -> tuple[int, ...]:
        set_limits(request)
        if request["uid"] is not None:
            become(request["uid"])
        self._keep_imports_working()
        libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
        landlock.enforce(self._rules)
        return self._filters.install(request, seccomp.only_own_signals())

    def _keep_imports_working(self) -> None:
        """Name a folder by its open descriptor when the new user cannot walk down to it (a Python under /root)."""
        for folder, fd in self._folders.items():
            if os.access(folder, os.R_OK | os.X_OK):
                os.close(fd)
            else:
                _import_from_descriptor(folder, fd)

    def scratch_bytes(self, proc: int, processes: list[int]) -> int:
        return scratch.used_bytes(self.scratch, proc, processes)

    def kill(self, pid: int) -> None:
        """One signal reaches all: the filter lets no process leave the group."""
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            os.kill(pid, signal.SIGKILL)

    def clean(self) -> None:
        scratch.remove(self.scratch)


class Filters:
    """The seccomp filters of a cage, made once for all calls: with a network and without."""

    def __init__(self, *, under_landlock: bool) -> None:
        self._alone = seccomp.prepare(under_landlock=under_landlock, networked=False)
        self._networked = seccomp.prepare(under_landlock=under_landlock, networked=True)

    def install(self, request: dict[str, Any], *further: bytes) -> tuple[int, ...]:
        if request["hosts"]:
            return (seccomp.install_asking(self._networked, *further),)
        seccomp.install(self._alone, *further)
        return ()


def _import_from_descriptor(folder: str, fd: int) -> None:
    packages = [module.__path__ for module in sys.modules.values() if isinstance(getattr(module, "__path__", 0), list)]
    for paths in (sys.path, *packages):
        paths[:] = [path.replace(folder, f"/proc/self/fd/{fd}", 1) for path in paths]
    sys.path_importer_cache.clear()


def _remove_leftovers() -> None:
    """Remove the folders of calls whose supervisor was killed, when their zygote is gone too."""
    for name in os.listdir(_shared_scratch()):  # noqa: PTH208
        if name.startswith(_SCRATCH_PREFIX):
            zygote = name.removeprefix(_SCRATCH_PREFIX).partition("-")[0]
            if not os.path.exists(f"/proc/{zygote}"):  # noqa: PTH110
                with contextlib.suppress(OSError):  # It is another user's.
                    scratch.remove(f"{_shared_scratch()}/{name}")


def _shared_scratch() -> str:
    """In memory where the machine offers it: a disk would make each call wait for it."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp"


def become(uid: int) -> None:
    """Change to a plain user for good, all groups left behind."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def set_limits(request: dict[str, Any], of_ours: int = 0) -> None:
    limits = request["limits"]
    cpu_s = max(1, int(limits["cpu_s"] + 0.999))
    for kind, value in (
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_AS, request["address_space"] + limits["memory_bytes"]),
        (resource.RLIMIT_NPROC, request["processes_before"] + of_ours + limits["processes"]),
        (resource.RLIMIT_FSIZE, limits["scratch_bytes"]),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE if hasattr(resource, "RLIMIT_MSGQUEUE") else 12, 0),
    ):
        _limit(kind, value)


def limit_open_files() -> None:
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (allowed, allowed))


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
