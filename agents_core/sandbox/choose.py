"""Which sandbox this machine can really do, found out by running something in it."""

import sys
from typing import Literal

from agents_core.sandbox.base import (
    SANDBOXES,
    Answer,
    Sandbox,
    SandboxCall,
    SandboxOutcome,
    SandboxStatus,
    SandboxUnavailable,
)
from agents_core.sandbox.warm import WarmSandbox

Preference = Literal["auto", "bubblewrap", "landlock"]

_TRIAL = SandboxCall("def trial():\n    return 7\n", "trial", {})
_refusals: dict[str, str] = {}
"""Why a sandbox does not work here, by its name; empty when it does. Asked once in the life of a process."""

_ADVICE = (
    ("not installed", "Install bubblewrap: apt-get install bubblewrap, dnf install bubblewrap, or apk add bubblewrap."),
    (
        "landlock",
        "Start Linux 5.13 or later with Landlock switched on: `landlock` among lsm= on the kernel's command line.",
    ),
    (
        "",
        (
            "Allow plain users to make user namespaces: sysctl kernel.unprivileged_userns_clone=1 (Debian), "
            "sysctl kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu), sysctl user.max_user_namespaces=10000; "
            "in a container, run it with --security-opt seccomp=unconfined --security-opt systempaths=unconfined."
        ),
    ),
)


_OTHER_SYSTEMS = {
    "darwin": (
        "macOS has nothing that shuts a program in as tightly as tools need: sandbox-exec is deprecated and bounds no memory.",
        "Run the server in a Linux virtual machine on this Mac: with Docker Desktop, OrbStack, Colima or Lima.",
    ),
    "win32": (
        "Windows has nothing that a program may shut itself in with as tightly as tools need.",
        "Run the server in WSL 2 (wsl --install), which is a Linux virtual machine.",
    ),
}
_ANY_OTHER_SYSTEM = (
    "Running tools needs Linux (namespaces or Landlock).",
    "Run the server in a Linux virtual machine.",
)


class UnavailableSandbox:
    """Stands where no sandbox can: every call is refused with the reason and the way to mend it."""

    def __init__(self, reason: str, advice: str) -> None:
        self._status = SandboxStatus("none", available=False, reason=reason, advice=advice)

    async def call(self, call: SandboxCall, answer: Answer | None = None) -> SandboxOutcome:
        raise SandboxUnavailable(f"No code is run on this machine: {self._status.reason} {self._status.advice}".strip())

    async def warm(self) -> None:
        """There is nothing to start."""

    def status(self) -> SandboxStatus:
        return self._status

    async def aclose(self) -> None:
        """There is nothing to end."""


async def choose(preference: Preference = "auto", *, concurrency: int = 8) -> Sandbox:
    """The best sandbox that ran a trial call: bubblewrap before Landlock, or only the one named by ``preference``.

    Never raises for what the machine lacks: then ``status().available`` is False and every call is refused. The caller
    owns the sandbox and closes it. Raises ``NotFound`` for an unknown preference.
    """
    if sys.platform != "linux":
        return UnavailableSandbox(*_OTHER_SYSTEMS.get(sys.platform, _ANY_OTHER_SYSTEM))
    names = ["bubblewrap", "landlock"] if preference == "auto" else [preference]
    reasons: list[str] = []
    for name in names:
        sandbox: WarmSandbox = SANDBOXES.load(name)(
            concurrency=concurrency, reason=" ".join(reasons), advice=_advice(reasons)
        )
        if refusal := await _refusal(name, sandbox):
            reasons.append(f"{name}: {refusal.rstrip('.')}.")
            await sandbox.aclose()
        else:
            return sandbox
    return UnavailableSandbox(" ".join(reasons), _advice(reasons))


async def _refusal(name: str, sandbox: WarmSandbox) -> str:
    if name not in _refusals:
        try:
            outcome = await sandbox.call(_TRIAL)
            _refusals[name] = "" if outcome.value == 7 else f"a trial call went wrong: {outcome.error}"
        except (SandboxUnavailable, OSError) as error:
            _refusals[name] = str(error)
    return _refusals[name]


def _advice(reasons: list[str]) -> str:
    """What to do about the first reason, which is that of the better sandbox."""
    if not reasons:
        return ""
    return next(advice for word, advice in _ADVICE if word in reasons[0].lower())
