"""Ways out of a sandbox, each tried in each sandbox. A source returns "held" when the wall held."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents_core.sandbox.inside import seccomp
from tests.sandbox.runners import Runner

pytestmark = pytest.mark.asyncio(loop_scope="session")

_PRELUDE = """
import ctypes, os, resource, signal, socket, subprocess, sys, time
def held(attempt, *args):
    try:
        result = attempt(*args)
    except (OSError, ValueError):  # resource.setrlimit turns EPERM into a ValueError.
        return "held"
    return f"escaped: {result!r:.200}"
def call(*args):
    result = ctypes.CDLL(None, use_errno=True).syscall(*args)
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return result
def read(path):
    with open(path, "rb") as file:
        return file.read(100)
def write(path):
    with open(path, "wb") as file:
        return file.write(b"x")
"""

FILES = {
    "the shadow file": "held(read, '/etc/shadow')",
    "the list of users": "held(read, '/etc/passwd')",
    "a file of the project": "held(read, p['project'])",
    "a file anybody may read": "held(read, p['secret'])",
    "a file through a symbolic link": "held(lambda: (os.symlink(p['secret'], 'link'), read('link')))",
    "a file through a hard link": "held(lambda: (os.link(p['secret'], 'link'), read('link')))",
    "a file through a link in a folder": "held(lambda: (os.symlink('/', 'root'), read('root' + p['secret'])))",
    "a file through a child process": "'held' if subprocess.run(['/bin/cat', p['secret']]).returncode else 'escaped'",
    "a file by renaming it": "held(os.rename, p['secret'], 'mine')",
    "the folder of a file": "held(os.listdir, os.path.dirname(p['secret']))",
    "root's home": "held(os.listdir, '/root/.ssh')",
    "the server's environment": "held(read, f'/proc/{p[\"pid\"]}/environ')",
    "the server's memory": "held(read, f'/proc/{p[\"pid\"]}/mem')",
    "the server's descriptors": "held(os.listdir, f'/proc/{p[\"pid\"]}/fd')",
    "the server's root folder": 'held(read, f\'/proc/{p["pid"]}/root{p["secret"]}\')',
    "the environment of process 1": "held(read, '/proc/1/environ')",
    "its own first environment": "held(read, '/proc/self/environ')",
    "writing to /": "held(write, '/left')",
    "writing to /etc": "held(write, '/etc/left')",
    "writing to /usr": "held(write, '/usr/lib/left')",
    "writing beside the sandbox's own code": "held(write, '/sb/left')",
    "writing into the standard library": "held(write, os.__file__ + '.left')",
    "overwriting the standard library": "held(write, os.__file__)",
    "emptying a file of the standard library": "held(os.open, os.__file__, os.O_RDONLY | os.O_TRUNC)",
    "emptying a file by name": "held(os.truncate, p['secret'], 0)",
    "changing a file's mode": "held(os.chmod, p['secret'], 0o777)",
    "changing a file's times": "held(os.utime, p['secret'], (0, 0))",
    "deleting a file": "held(os.unlink, p['secret'])",
}

NETWORK = {
    "a port on loopback": "held(lambda: socket.create_connection(('127.0.0.1', p['port']), 1))",
    "a port on every address": "held(lambda: socket.create_connection(('0.0.0.0', p['port']), 1))",
    "the internet": "held(lambda: socket.create_connection(('1.1.1.1', 53), 1))",
    "a name": "held(socket.getaddrinfo, 'example.org', 80)",
    "the database's kind of socket": "held(lambda: socket.socket(socket.AF_UNIX).connect(p['unix']))",
    "an abstract socket": "held(lambda: socket.socket(socket.AF_UNIX).connect(chr(0) + p['abstract']))",
    "a pair of sockets pointed elsewhere": (
        "held(lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].connect(p['unix']))"
    ),
    "a datagram": "held(lambda: socket.socket(2, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', p['port'])))",
    "a listening port": "held(lambda: socket.create_server(('127.0.0.1', 0)))",
    "netlink": "held(socket.socket, socket.AF_NETLINK, socket.SOCK_RAW, 0)",
    "the hypervisor": "held(socket.socket, socket.AF_VSOCK, socket.SOCK_STREAM)",
    "the kernel's ciphers": "held(socket.socket, socket.AF_ALG, socket.SOCK_SEQPACKET)",
    "raw packets": "held(socket.socket, socket.AF_PACKET, socket.SOCK_RAW)",
}

KERNEL = {
    "killing the server": "held(os.kill, p['pid'], 9)",
    "killing the server's group": "held(os.kill, -p['pid'], 9)",
    "stopping the server through a descriptor": "held(call, p['nr']['pidfd_open'], p['pid'], 0)",
    "lowering the server's limits": "held(resource.prlimit, p['pid'], resource.RLIMIT_NOFILE, (0, 0))",
    "raising its own limits": ("held(lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40)))"),
    "slowing the server": "held(os.setpriority, os.PRIO_PROCESS, p['pid'], 19)",
    "slowing all of the server's user": "held(os.setpriority, os.PRIO_USER, 0, 19)",
    "pinning the server to one processor": "held(os.sched_setaffinity, p['pid'], {0})",
    "reading the server's memory": "held(call, p['nr']['process_vm_readv'], p['pid'], 0, 0, 0, 0, 0)",
    "a signal through a file": "held(lambda: __import__('fcntl').fcntl(0, 8, p['pid']))",
    "ptrace": "held(call, p['nr']['ptrace'], 16, p['pid'], 0, 0)",
    "mount": "held(call, p['nr']['mount'], b'tmpfs', b'/tmp', b'tmpfs', 0, 0)",
    "umount": "held(call, p['nr']['umount2'], b'/proc', 2)",
    "unshare": "held(call, p['nr']['unshare'], 0x10000000)",
    "a clone with a user namespace": "held(call, p['nr']['clone'], 0x10000011, 0, 0, 0, 0)",
    "clone3": "held(call, p['nr']['clone3'], 0, 0)",
    "setns": "held(call, p['nr']['setns'], 0, 0)",
    "chroot": "held(os.chroot, '.')",
    "pivot_root": "held(call, p['nr']['pivot_root'], b'.', b'.')",
    "a device": "held(os.mknod, 'disk', 0o60600, os.makedev(254, 0))",
    "bpf": "held(call, p['nr']['bpf'], 0, 0, 0)",
    "io_uring": "held(call, p['nr']['io_uring_setup'], 8, ctypes.create_string_buffer(120))",
    "keyctl": "held(call, p['nr']['keyctl'], 0, -3, 1)",
    "userfaultfd": "held(call, p['nr']['userfaultfd'], 1)",
    "perf": "held(call, p['nr']['perf_event_open'], ctypes.create_string_buffer(120), 0, -1, -1, 0)",
    "a file by its handle": "held(call, p['nr']['open_by_handle_at'], 0, ctypes.create_string_buffer(120), 0)",
    "memory outside the limit, memfd": "held(call, p['nr']['memfd_create'], b'x', 0)",
    "memory outside the limit, SysV": "held(call, p['nr']['shmget'], 0, 1 << 20, 0o1600)",
    "a kernel module": "held(call, p['nr']['finit_module'], 0, b'', 0)",
    "reboot": "held(call, p['nr']['reboot'], 0xFEE1DEAD, 672274793, 0x89ABCDEF, 0)",
    "the clock": "held(time.clock_settime, time.CLOCK_REALTIME, 0.0)",
    "the machine's name": "held(socket.sethostname, 'owned')",
    "a call newer than this list": "held(call, 461, 0, 0, 0)",
    "becoming root": "held(os.setuid, 0)",
    "a program that is root's": (
        "'held' if b'uid=0' not in subprocess.run(['/bin/su', '-c', 'id'], capture_output=True).stdout else 'escaped'"
    ),
}


@pytest.fixture(scope="module")
def places(sandbox: Runner) -> Iterator[dict[str, Any]]:
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
        "unix": str(unix),
        "abstract": abstract,
        "nr": seccomp._numbers(seccomp._ARCHITECTURES[os.uname().machine][1]),
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


@pytest.mark.parametrize("attacks", [FILES, NETWORK, KERNEL], ids=["files", "network", "kernel"])
async def test_walls_hold(sandbox: Runner, places: dict[str, Any], attacks: dict[str, str]) -> None:
    calls = [sandbox.run(f"{_PRELUDE}\ndef f(p):\n    return {attack}\n", {"p": places}) for attack in attacks.values()]
    outcomes = dict(zip(attacks, await sandbox.together(*calls), strict=True))
    assert {name: outcome for name, outcome in outcomes.items() if outcome.value != "held"} == {}


KILLERS = {
    "everyone": "os.kill(-1, 9)",
    "its group": "os.kill(0, 9)",
    "its parent": "os.kill(os.getppid(), 9)",
    "its parent's group": "os.killpg(os.getppid(), 9)",
    "process 1": "os.kill(1, 9)",
    "the terminal's session": "os.kill(-os.getsid(0), 9)",
}


@pytest.mark.parametrize("attack", [pytest.param(body, id=name) for name, body in KILLERS.items()])
async def test_killing_reaches_nobody_outside_the_call(sandbox: Runner, attack: str) -> None:
    neighbour = sandbox.run("import time\ndef f():\n    time.sleep(0.3)\n    return 'alive'")
    source = f"import os\ndef f():\n    try:\n        {attack}\n    except OSError:\n        pass\n    return 'alive'"
    both = await sandbox.together(neighbour, sandbox.run(source))
    assert both[0].value == "alive"
    assert both[1].status in {"ok", "killed"}


async def test_environment_is_four_harmless_names_and_the_calls_own(sandbox: Runner) -> None:
    outcome = await sandbox.run("import os\ndef f():\n    return dict(os.environ)", env={"TOKEN": "t"})
    assert outcome.value.keys() == {"HOME", "LANG", "PATH", "TMPDIR", "TOKEN"}
    assert outcome.value["PATH"] == "/usr/bin:/bin"


async def test_child_process_inherits_no_descriptor_but_its_output(sandbox: Runner) -> None:
    source = "import os\ndef f():\n    return [fd for fd in range(256) if _open(fd)]\n"
    source += (
        "def _open(fd):\n    try:\n        os.fstat(fd)\n    except OSError:\n        return False\n    return True"
    )
    outcome = await sandbox.run(source)
    extra = set(outcome.value) - {0, 1, 2, 3}
    assert len(extra) <= 1  # Landlock keeps the standard library's folder open where its path cannot be walked.


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
