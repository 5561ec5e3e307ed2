"""The interface of code execution: one Python function, called once, nothing of the host in reach. No Django here."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from agents_core.errors import Unavailable
from agents_core.registry import Registry

Status = Literal["ok", "error", "timeout", "killed"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one call may use. Output is cut, not refused, past its limit; the others end the call."""

    wall_s: float = 10.0
    cpu_s: float = 5.0
    memory_bytes: int = 512 * 1024 * 1024
    processes: int = 32
    scratch_bytes: int = 64 * 1024 * 1024
    output_bytes: int = 64 * 1024
    result_bytes: int = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SandboxCall:
    """Run ``source``, then call ``function(**args)`` from it. ``env`` is the whole environment the code sees.

    ``packages``: a folder of installed packages that it may import besides the standard library, none when empty;
    ``preload`` are modules of it that nearly every call imports. ``hosts``: the names it may reach over HTTP and HTTPS,
    ``api.example.com`` or ``*.example.com`` for all below it; none means no network. ``record``: give ``steps``.
    """

    source: str
    function: str
    args: dict[str, Any]
    env: dict[str, str] = field(default_factory=dict)
    limits: Limits = Limits()
    packages: str = ""
    preload: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    agent: dict[str, Any] | None = None
    """What a function that asks for ``agent_state``, ``agent_id`` or ``client`` is told of the agent that calls it (``inside.agent``)."""
    record: bool = False


@dataclass(frozen=True, slots=True)
class RecordedStep:
    """A moment of a recorded call: ``line`` of the source is about to run in ``function``, ``depth`` of the tool's own functions deep.

    ``event`` is "line"; or "return" or "exception", with what was returned or raised as ``note``. ``variables`` are the function's
    own, with their text; ``changed`` names those that are new or other than at its step before. ``printed``: how many characters of
    the standard output had been written.
    """

    line: int
    depth: int
    function: str
    event: str
    note: str
    variables: tuple[tuple[str, str], ...]
    changed: tuple[str, ...]
    printed: int


@dataclass(frozen=True, slots=True)
class NewPassage:
    """What a call wants stored in the agent's archival memory."""

    text: str
    tags: tuple[str, ...] = ()


Answer = Callable[[str, dict[str, Any]], Awaitable[Any]]
"""Answers what a call asks while it runs (``inside.agent.Passages``): the name of the question and its arguments, which the tool's code
may have made up. Gives JSON data. What it raises of ``AgentsError`` is raised in the tool, in the same words."""


@dataclass(frozen=True, slots=True)
class SandboxOutcome:
    """``value`` is what the function returned as JSON data (``str()`` of what JSON cannot hold), None unless ok.

    ``blocks``: the new texts of the agent's blocks that it changed, by label; ``passages``: what it wants stored; none unless ok.

    ``error`` is one line, ``Type: message (line N)`` where known; ``traceback`` shows only the tool's own frames.
    ``timeout``: past ``wall_s``. ``killed``: past another limit, or the process died; ``error`` says which.
    ``steps``: of a recorded call, its first thousand; a recorded call is stopped at four fifths of its time, as an error.
    """

    status: Status
    value: Any = None
    error: str = ""
    traceback: str = ""
    stdout: str = ""
    stderr: str = ""
    duration_ms: float = 0.0
    cpu_ms: float = 0.0
    peak_memory_bytes: int = 0
    output_truncated: bool = False
    blocks: dict[str, str] = field(default_factory=dict)
    steps: tuple[RecordedStep, ...] = ()
    passages: tuple[NewPassage, ...] = ()


@dataclass(frozen=True, slots=True)
class SandboxStatus:
    """``name`` is "bubblewrap", "landlock" or "none"; ``reason`` why it is no better one, ``advice`` how to get it."""

    name: str
    available: bool
    warm: bool = False
    reason: str = ""
    advice: str = ""


class SandboxUnavailable(Unavailable):
    """This machine can isolate nothing: running a tool is refused. The message says why, and what to install."""

    code = "sandbox_unavailable"


class PackagesMissing(Unavailable):
    """The folder of the packages that a tool needs is not there any more, or may not be read by tools."""

    code = "packages_missing"


class Sandbox(Protocol):
    """Runs calls, many at once; no call can see or change what another sees. Shared by the tasks of one event loop."""

    async def call(self, call: SandboxCall, answer: Answer | None = None) -> SandboxOutcome:
        """Without ``answer``, nothing can be asked. Raises ``SandboxUnavailable`` and ``PackagesMissing``, never for what the code does."""
        ...

    async def warm(self) -> None:
        """Makes the first call as fast as the others."""
        ...

    def status(self) -> SandboxStatus: ...

    async def aclose(self) -> None: ...


SANDBOXES = Registry(
    "sandbox",
    {
        "bubblewrap": "agents_core.sandbox.bubblewrap:BubblewrapSandbox",
        "landlock": "agents_core.sandbox.landlock:LandlockSandbox",
    },
)
