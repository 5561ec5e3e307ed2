"""The process that waits: Python started and modules loaded once, a fork for each call.

It reads nothing but descriptors: each message on the control socket carries the channel of one call, which goes unread
to the supervisor forked for it. So neither arguments nor secrets of a call are ever in the memory that later calls are
copies of.
"""

import contextlib
import gc
import importlib
import json
import os
import resource
import select
import signal
import socket
import sys
from typing import Any

from agents_core.sandbox.inside import libc, wire
from agents_core.sandbox.inside.cage import Cage, LandlockCage, NamespaceCage, become
from agents_core.sandbox.inside.supervise import OPEN_FILES, Supervisor

# Loaded one by one while no call waits: a tool's own imports cost nothing, and the first call is not late for them.
_WARM_MODULES = """
typing dataclasses inspect traceback datetime random math collections itertools functools string textwrap time copy
enum urllib.parse decimal fractions statistics csv hashlib base64 uuid pathlib tempfile shutil html secrets calendar
difflib operator contextlib asyncio zoneinfo unicodedata
"""
_PRELOAD_BYTES = 4 * 2**30


def main(configuration: str) -> None:
    config: dict[str, Any] = json.loads(configuration)
    control = socket.socket(fileno=config["control"])
    if config["become"] is not None:
        become(config["become"])
    libc.prctl(libc.PR_SET_DUMPABLE, 1)  # A changed user id would leave /proc/self to root, and with it the id maps.
    libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.one_malloc_arena()
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    cage = _cage(config)
    if config["packages"]:
        sys.path.append(config["packages"])
        _preload(config["preload"])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # Supervisors are reaped by the kernel.
    control.send(b"ready")
    os.dup2(os.open("/dev/null", os.O_WRONLY), 2)
    gc.disable()
    waiting = list(reversed(_WARM_MODULES.split()))
    while True:
        if waiting and not select.select([control], [], [], 0)[0]:
            importlib.import_module(waiting.pop())
            if not waiting:
                gc.freeze()
            continue
        _serve_one(control, cage)


def _preload(names: list[str]) -> None:
    """Import what nearly every call will. What fails is left to the calls, which then show the error as their own."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_PRELOAD_BYTES, hard))
    for name in names:
        with contextlib.suppress(BaseException):
            importlib.import_module(name)
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, hard))
    os.chdir("/")


def _serve_one(control: socket.socket, cage: Cage) -> None:
    message, fds, _, _ = socket.recv_fds(control, 16, 1)
    if not message:
        sys.exit(0)  # The server closed its end, or is gone.
    with contextlib.closing(socket.socket(fileno=fds[0])) as channel:
        try:
            child = os.fork()
        except OSError as error:
            _refuse(channel, f"fork: {error}")
            return
        if child == 0:
            _supervise(control, channel, cage)


def _supervise(control: socket.socket, channel: socket.socket, cage: Cage) -> None:
    """Never returns."""
    code = 1
    try:
        control.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        Supervisor(channel, cage, proc).run()
        code = 0
    except EOFError:
        pass  # The server ended, or had no use for this one.
    except Exception as error:
        _refuse(channel, f"{type(error).__name__}: {error}")
    finally:
        os._exit(code)


def _refuse(channel: socket.socket, reason: str) -> None:
    with contextlib.suppress(OSError):
        channel.sendall(wire.pack_reply({"status": "unavailable", "reason": reason}))


def _cage(config: dict[str, Any]) -> Cage:
    """One object for all calls: each works on its own copy, made by the fork."""
    if config["cage"] == "namespaces":
        return NamespaceCage()
    return LandlockCage(config["readable"], config["importable"])
