"""Ways out of a sandbox, each a file in ``escapes/``, each tried in each sandbox. ``escapes/README.md`` tells how they are judged."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from agents_core.sandbox.base import SandboxOutcome
from agents_core.sandbox.inside import seccomp
from tests.sandbox.processes import named
from tests.sandbox.runners import Runner
from tests.sandbox.web import Web

_FOLDER = Path(__file__).parent / "escapes"
_ATTACKS = {f"{path.parent.name}/{path.stem}": path.read_text() for path in sorted(_FOLDER.glob("*/*.py"))}
_PRELUDE = (_FOLDER.parent / "attacker.py").read_text()
_MARK = f"attack{os.getpid()}"
_ENTER = f"\ndef f(host):\n    libc('prctl', 15, b'{_MARK}')\n    return attack(host)\n"
_WORD = f"word-of-the-neighbour-{os.getpid()}"

_REFUSALS = {
    *("OSError", "PermissionError", "FileNotFoundError", "NotADirectoryError", "IsADirectoryError"),
    *("ConnectionRefusedError", "gaierror", "TimeoutError", "ProcessLookupError", "BlockingIOError", "URLError"),
    "BrokenPipeError",
}
"""What a wall answers. Any other error means that the attack itself is broken."""
_MAY_BE_ENDED = {"processes", "results", "poison", "limits"}
_ANY_VALUE = {"results", "poison"}
"""These are judged by what the next call sees, and by the shape of the outcome."""
_WALL_S = 30.0
_LATE_S = 4.0
"""How long after its time a call may end on a machine with much else to do."""
_TIGHT = {"wall_s": 0.7, "cpu_s": 0.5, "memory_bytes": 96 * 2**20, "scratch_bytes": 2**20, "processes": 16}

# What a call sees of its world; whatever ran before, it is the same.
_LOOK = """
import builtins, codecs, gc, json, math, os, random, resource, signal, socket, sys, threading, time, typing
def f(word):
    folder = os.environ["TMPDIR"]
    return {
        "python": [len(word), json.loads(json.dumps([word])), 7 + 1, isinstance(1, str), math.sqrt(4), sys.argv],
        "functions": [str(one) for one in (builtins.open, builtins.len, os.write, os._exit, sys.gettrace(), sys.excepthook)],
        "environment": sorted(os.environ),
        "files": os.listdir(folder),
        "mode": oct(os.stat(folder).st_mode),
        "folder": os.getcwd() == folder,
        "path": len(sys.path),
        "threads": threading.active_count(),
        "signals": [str(signal.getsignal(one)) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGCHLD)],
        "blocked": [str(one) for one in signal.pthread_sigmask(signal.SIG_BLOCK, ())],
        "umask": os.umask(0),
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
        "open_files": resource.getrlimit(resource.RLIMIT_NOFILE),
        "recursion": sys.getrecursionlimit(),
        "zone": time.tzname,
        "text": ["\\ud800".encode("utf-8", "replace").decode(), codecs.lookup("utf-8").name],
        "hints": str(typing.get_type_hints(f)),
        "chance": random.random() != 0.5,
        "owned": [name for name in sys.modules if name in ("kept", "owned")],
    }
"""
_LOOK_AT_PACKAGES = """
import requests, sys, urllib3
def f(word):
    return [str(requests.get.__module__), requests.get.__code__.co_name, requests.__version__, str(urllib3.__name__)]
"""
_NEIGHBOUR = """
import os, time
def f(word):
    open("mine", "w").write(word)
    time.sleep(0.25)
    return [word, open("mine").read(), os.environ["WORD"], os.listdir(".")]
"""


@pytest.fixture(scope="module")
def host(sandbox: Runner, web: Web) -> Iterator[dict[str, Any]]:
    """Things of the host worth reaching, open to every user of the machine and owned by the one who runs the tool."""
    folder = Path(tempfile.mkdtemp(prefix="host-"))
    secret, unix = folder / "secret", folder / "database.socket"
    secret.write_text("the secret")
    listeners = [socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)]
    listeners[1].bind(str(unix))
    abstract = f"host-{os.getpid()}-{folder.name}"
    listeners[2].bind(f"\0{abstract}")
    for listener in listeners:
        listener.listen()
        listener.setblocking(False)
    for path, mode in ((folder, 0o777), (secret, 0o666), (unix, 0o777)):
        if sandbox.kind.endswith("nobody"):
            os.chown(path, 65534, 65534)
        path.chmod(mode)
    yield {
        "secret": str(secret),
        "project": str(Path(__file__).parents[2] / "pyproject.toml"),
        "pid": sandbox.pid,
        "port": listeners[0].getsockname()[1],
        "web_port": web.http_port,
        "unix": str(unix),
        "abstract": abstract,
        "word": _WORD,
        "numbers": seccomp.numbers(),
    }
    reached = []
    for listener in listeners:
        try:
            reached.append(listener.accept())
        except BlockingIOError:
            listener.close()
    assert secret.read_text() == "the secret"
    assert not reached
    shutil.rmtree(folder)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def usual(sandbox: Runner, clients: str) -> dict[str, Any]:
    """What calls see before anything was attacked."""
    return {"alone": await _look(sandbox), "packages": await _look(sandbox, packages=clients, preload=("requests",))}


async def _look(sandbox: Runner, **further: Any) -> Any:
    source = _LOOK_AT_PACKAGES if further else _LOOK
    outcome = await sandbox.run(source, {"word": "ab"}, **further)
    assert outcome.status == "ok", outcome
    return outcome.value


class Campaign:
    """The attacks of a group are carried out at the same time, as many as the sandbox runs, from the first asked for on."""

    def __init__(self, sandbox: Runner, host: dict[str, Any], clients: str) -> None:
        self._sandbox = sandbox
        self._host = host
        self.clients = clients
        self._tasks: dict[str, asyncio.Task[SandboxOutcome]] = {}

    async def outcome_of(self, attack: str) -> SandboxOutcome:
        if attack not in self._tasks:
            group = [one for one in _ATTACKS if _group(one) == _group(attack)]
            self._tasks |= {one: asyncio.create_task(self._carry_out(one)) for one in group}
        return await self._tasks[attack]

    async def over(self) -> None:
        await asyncio.gather(*self._tasks.values())

    async def _carry_out(self, attack: str) -> SandboxOutcome:
        group = _group(attack)
        further: dict[str, Any] = {"wall_s": 1.5 if group in _MAY_BE_ENDED else _WALL_S, "cpu_s": 0.7}
        further |= {"hosts": ("allowed.test",)} if group == "proxy" else {}
        further |= {"packages": self.clients, "preload": ("requests",)} if group == "packages" else {}
        further |= _TIGHT if group == "limits" else {}
        source = f"{_PRELUDE}\n{_ATTACKS[attack]}\n{_ENTER}"
        if group != "neighbours":
            return await self._sandbox.run(source, {"host": self._host}, **further)
        outcome, neighbour = await self._sandbox.together(
            self._sandbox.run(source, {"host": self._host}, **further),
            self._sandbox.run(_NEIGHBOUR, {"word": _WORD}, env={"WORD": _WORD}, hosts=("allowed.test",)),
        )
        assert neighbour.value == [_WORD, _WORD, _WORD, ["mine"]], neighbour
        return outcome


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def campaign(sandbox: Runner, host: dict[str, Any], usual: dict[str, Any], clients: str) -> Campaign:
    return Campaign(sandbox, host, clients)


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("attack", _ATTACKS)
async def test_attack_is_held(sandbox: Runner, campaign: Campaign, usual: dict[str, Any], attack: str) -> None:
    outcome = await campaign.outcome_of(attack)
    assert _held(_group(attack), outcome), outcome
    assert outcome.duration_ms < (_LATE_S + (1.5 if _group(attack) in _MAY_BE_ENDED else _WALL_S)) * 1000
    if _group(attack) in _MAY_BE_ENDED:
        assert await _look(sandbox) == usual["alone"]
    if _group(attack) == "packages":
        assert await _look(sandbox, packages=campaign.clients, preload=("requests",)) == usual["packages"]


@pytest.mark.asyncio(loop_scope="session")
async def test_no_attacker_is_left(sandbox: Runner, campaign: Campaign, usual: dict[str, Any]) -> None:
    await campaign.over()
    for seen in await asyncio.gather(*[_look(sandbox) for _ in range(4)]):
        assert seen == usual["alone"]
    async with asyncio.timeout(5):
        while named(_MARK):
            await asyncio.sleep(0.02)


def _group(attack: str) -> str:
    return attack.partition("/")[0]


def _held(group: str, outcome: SandboxOutcome) -> bool:
    match outcome.status:
        case "ok":
            return group in _ANY_VALUE or outcome.value == "held"
        case "error":
            return (
                group in _ANY_VALUE
                or _is_refusal(outcome.error)
                or (group == "limits" and _is_shortage(outcome.error))
                or (group == "processes" and outcome.error.startswith("RuntimeError: can't start new thread"))
            )
        case _:
            return group in _MAY_BE_ENDED


def _is_refusal(error: str) -> bool:
    return error.partition(":")[0] in _REFUSALS


def _is_shortage(error: str) -> bool:
    return error.partition(":")[0] in {"MemoryError", "RecursionError", "RuntimeError"}


@pytest.mark.asyncio(loop_scope="session")
async def test_environment_is_four_harmless_names_and_the_calls_own(sandbox: Runner) -> None:
    outcome = await sandbox.run("import os\ndef f():\n    return dict(os.environ)", env={"TOKEN": "t"})
    assert outcome.value.keys() == {"HOME", "LANG", "PATH", "TMPDIR", "TOKEN"}
    assert outcome.value["PATH"] == "/usr/bin:/bin"


@pytest.mark.asyncio(loop_scope="session")
async def test_child_process_inherits_no_descriptor_but_its_output(sandbox: Runner) -> None:
    source = "import os\ndef f():\n    return [fd for fd in range(256) if _open(fd)]\n"
    source += (
        "def _open(fd):\n    try:\n        os.fstat(fd)\n    except OSError:\n        return False\n    return True"
    )
    outcome = await sandbox.run(source)
    extra = set(outcome.value) - {0, 1, 2, 3}
    assert len(extra) <= 1  # Landlock keeps the standard library's folder open where its path cannot be walked.


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("suffix", ["return 'true'", "os._exit(0)", "os.close(3)"])
async def test_forged_result_is_noticed_and_reaches_no_other_call(sandbox: Runner, suffix: str) -> None:
    source = f"""
import os, struct
def f():
    for fd in range(3, 256):
        for lie in (b'{{"status": "ok"}}', struct.pack('>I', 2) + b'{{}}'):
            try:
                os.write(fd, lie)
            except OSError:
                break
    {suffix}
"""
    forged, honest = await sandbox.together(sandbox.run(source), sandbox.run("def f():\n    return 'honest'"))
    assert honest.value == "honest"
    assert forged.status in {"error", "killed"}
    assert forged.value is None


@pytest.mark.parametrize(
    "attack",
    [
        *("files/open_file", "files/symbolic_link", "files/hard_link", "files/link_to_root", "files/by_dots"),
        *("files/child", "files/shell", "files/by_mapping", "files/by_url", "files/by_archive", "files/rename"),
        *("files/by_own_root", "files/delete", "files/mode", "files/list_its_folder", "files/write_open_file"),
        *("network/loopback", "network/any_address", "network/datagram", "network/database", "network/abstract"),
        *("network/listening", "network/shell", "network/server_of_asyncio", "kernel/memory_file", "proxy/bound"),
    ],
)
def test_attack_gets_through_where_there_is_no_wall(attack: str, tmp_path: Path) -> None:
    """Else it would prove nothing of the walls."""
    secret, unix = tmp_path / "secret", tmp_path / "socket"
    secret.write_text("the secret")
    listener, local = socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX)
    named_by_nothing = socket.socket(socket.AF_UNIX)
    local.bind(str(unix))
    named_by_nothing.bind(f"\0{_MARK}-open")
    for one in (local, named_by_nothing):
        one.listen()
    host = {"secret": str(secret), "port": listener.getsockname()[1], "unix": str(unix), "abstract": f"{_MARK}-open"}
    (tmp_path / "scratch").mkdir()
    source = f"{_PRELUDE}\n{_ATTACKS[attack]}\nprint(attack({host | {'numbers': seccomp.numbers()}!r}) == 'held')"
    ran = subprocess.run(
        [sys.executable, "-c", source], check=False, cwd=tmp_path / "scratch", capture_output=True, text=True
    )
    for one in (listener, local, named_by_nothing):
        one.close()
    assert ran.stdout == "False\n", ran.stderr
