"""The sandbox of choice on Linux: bubblewrap around a zygote, and further namespaces around each call.

bubblewrap takes away files, network, processes and environment once; the zygote inside forks each call into user,
process, mount and IPC namespaces of its own, so that no call can see another or the zygote.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from agents_core.sandbox import inside
from agents_core.sandbox.base import SandboxUnavailable
from agents_core.sandbox.interpreter import BOOT, FLAGS, interpreter
from agents_core.sandbox.users import SpareUser, claim_spare_user, limit_counts_by_namespace, threads_of
from agents_core.sandbox.warm import WarmSandbox, is_root, zygote_arguments
from agents_core.sandbox.zygotes import Contents

_INSIDE = Path(inside.__file__).parent
_ROOT = "/sb"
_SCRATCH = "/tmp"
_PACKAGES = "/packages"
_DEVICES = ("null", "zero", "full", "random", "urandom")
_ALONE = ("--unshare-pid", "--unshare-ipc", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try")


class BubblewrapSandbox(WarmSandbox):
    """Needs ``bwrap`` and, for the calls, user namespaces that a plain user may make.

    Run by root, bubblewrap mounts as root (a Python under /root can be reached in no other way) and the zygote then
    becomes a spare user: for root itself the kernel would not count processes. Run by anyone else, bubblewrap makes a
    user namespace.
    """

    name: ClassVar[str] = "bubblewrap"
    preloads: ClassVar[bool] = True  # bubblewrap's walls stand around the zygote too.
    _user: SpareUser | None = None

    def _command(self, control: int, contents: Contents) -> list[str]:
        bwrap = shutil.which("bwrap")
        if bwrap is None:
            raise SandboxUnavailable("bubblewrap (bwrap) is not installed")
        if is_root() and self._user is None:
            self._user = claim_spare_user()
        python = interpreter()
        walls = [*_ALONE, "--die-with-parent", "--new-session", "--as-pid-1", "--hostname", "sandbox"]
        if self._user is None:
            walls.append("--unshare-user")
        packages = _PACKAGES if contents.packages else ""
        config = zygote_arguments(
            control, contents, become=self._user and self._user.uid, cage="namespaces", packages=packages
        )
        boot = [str(python.executable), *FLAGS, "-c", BOOT.format(root=_ROOT), config]
        return [bwrap, *walls, *_mounts(python.readable, contents.packages), "--", *boot]

    @contextlib.contextmanager
    def _turn(self) -> Iterator[dict[str, Any]]:
        before = 0 if limit_counts_by_namespace() else threads_of(self._user.uid if self._user else os.getuid())
        yield {"uid": None, "processes_before": before}

    async def aclose(self) -> None:
        await super().aclose()
        if self._user is not None:
            self._user.claim.close()
            self._user = None


def _mounts(readable: tuple[Path, ...], packages: str) -> list[str]:
    """All that exists inside. The root is made read-only last: bubblewrap leaves it writable, shared by all calls."""
    devices = [Path("/dev", name) for name in _DEVICES]
    code = Path(_ROOT, "agents_core/sandbox/inside")
    arguments = []
    for folder in sorted({parent for path in (*readable, *devices, code) for parent in path.parents} - {Path("/")}):
        arguments += ["--dir", str(folder)]  # Made on the way, it would be closed to the spare user.
    for path in readable:
        if path.is_symlink() and not path.readlink().is_absolute():
            arguments += ["--symlink", str(path.readlink()), str(path)]
        else:
            arguments += ["--ro-bind", str(path), str(path)]
    if packages:
        arguments += ["--ro-bind", packages, _PACKAGES]
    for path in devices:
        arguments += ["--dev-bind", str(path), str(path)]
    arguments += [
        "--ro-bind",
        str(_INSIDE),
        str(code),
        "--proc",
        "/proc",
        "--dir",
        _SCRATCH,
        "--symlink",
        _SCRATCH,
        "/dev/shm",
    ]
    return [*arguments, "--remount-ro", "/", "--chdir", "/"]
