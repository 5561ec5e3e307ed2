"""The sandbox for machines without bubblewrap or user namespaces: Landlock and seccomp, which need no package.

Weaker than bubblewrap in three ways: a tool can see sizes and times of files it cannot open (Landlock does not hide
them); /tmp is not its own, ``$TMPDIR`` is; it cannot signal its own children, so that all die with the call. And run by
a plain user, calls at one time share one allowance of processes.
"""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import agents_core
from agents_core.sandbox.base import SandboxUnavailable
from agents_core.sandbox.interpreter import BOOT, FLAGS, interpreter
from agents_core.sandbox.users import SpareUser, claim_spare_user, threads_of
from agents_core.sandbox.warm import WarmSandbox, is_root, zygote_arguments
from agents_core.sandbox.zygotes import Contents

_ROOT = str(Path(agents_core.__file__).parent.parent)
_COUNT_AGE_S = 5.0


class LandlockSandbox(WarmSandbox):
    """Needs Linux 5.13 with Landlock switched on. Run by root, each call at one time has a spare user of its own."""

    name: ClassVar[str] = "landlock"
    preloads: ClassVar[bool] = False  # Nothing holds the zygote back: a package's code must not run in it.

    def __init__(self, *, concurrency: int = 8, **further: Any) -> None:
        super().__init__(concurrency=concurrency, **further)
        self._free = [claim_spare_user() for _ in range(concurrency)] if is_root() else []
        self._users: tuple[SpareUser, ...] = tuple(self._free)
        self._count, self._counted_at = 0, -_COUNT_AGE_S

    def _command(self, control: int, contents: Contents) -> list[str]:
        if sys.platform != "linux":
            raise SandboxUnavailable("Landlock is a part of Linux")
        python = interpreter()
        packages = [contents.packages] if contents.packages else []
        config = zygote_arguments(
            control,
            contents,
            cage="landlock",
            packages=contents.packages,
            readable=[*map(str, python.readable), *packages],
            importable=[str(python.prefix / "lib"), *packages],
        )
        return [str(python.executable), *FLAGS, "-c", BOOT.format(root=_ROOT), config]

    @contextlib.contextmanager
    def _turn(self) -> Iterator[dict[str, Any]]:
        if not self._users:
            yield {"uid": None, "processes_before": self._threads_of_own_user()}
            return
        user = self._free.pop()
        try:
            yield {"uid": user.uid, "processes_before": 0}
        finally:
            self._free.append(user)

    def _threads_of_own_user(self) -> int:
        """The kernel counts all that the server's user runs; the tool's allowance comes on top."""
        if time.monotonic() - self._counted_at > _COUNT_AGE_S:
            self._count, self._counted_at = threads_of(os.getuid()), time.monotonic()
        return self._count

    async def aclose(self) -> None:
        await super().aclose()
        for user in self._users:
            user.claim.close()
