"""The system calls a tool may not make, as a seccomp filter.

Everything numbered past the newest call known here answers ENOSYS, so that a new kernel opens nothing. The rest is a
list of refusals in two parts: what no tool needs and has led out of sandboxes before, and what Landlock leaves open to
a process that runs under the server's own user.

A tool with a network asks for sockets as any program does, but the kernel hands the asking on to the supervisor
(``door``), which answers with one that is connected to the proxy; connecting it then does nothing. So no tool ever
makes a connection, wherever it wanted to go.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from agents_core.sandbox.inside import libc


def _words(text: str) -> list[str]:
    return text.split()


# name, number on x86_64, number on aarch64 ("-": the machine has no such call). From Linux 6.1's asm/unistd.h.
_NUMBERS = """
socket 41 198|connect 42 203|bind 49 200|listen 50 201|socketpair 53 199|ptrace 101 117|process_vm_readv 310 270
process_vm_writev 311 271|process_madvise 440 440|process_mrelease 448 448|kcmp 312 272|pidfd_open 434 434
pidfd_getfd 438 438|pidfd_send_signal 424 424|mount 165 40|umount2 166 39|pivot_root 155 41|chroot 161 51
setns 308 268|unshare 272 97|fsopen 430 430|fsconfig 431 431|fsmount 432 432|fspick 433 433|open_tree 428 428
move_mount 429 429|mount_setattr 442 442|clone 56 220|clone3 435 435|bpf 321 280|perf_event_open 298 241
userfaultfd 323 282|io_uring_setup 425 425|io_uring_enter 426 426|io_uring_register 427 427|keyctl 250 219
add_key 248 217|request_key 249 218|init_module 175 105|finit_module 313 273|delete_module 176 106|kexec_load 246 104
kexec_file_load 320 294|reboot 169 142|swapon 167 224|swapoff 168 225|acct 163 89|quotactl 179 60|quotactl_fd 443 443
syslog 103 116|settimeofday 164 170|clock_settime 227 112|adjtimex 159 171|clock_adjtime 305 266|sethostname 170 161
setdomainname 171 162|open_by_handle_at 304 265|name_to_handle_at 303 264|fanotify_init 300 262|fanotify_mark 301 263
lookup_dcookie 212 18|nfsservctl 180 42|vhangup 153 58|iopl 172 -|ioperm 173 -|modify_ldt 154 -|personality 135 92
mbind 237 235|set_mempolicy 238 237|set_mempolicy_home_node 450 450|migrate_pages 256 238|move_pages 279 239
memfd_create 319 279|memfd_secret 447 447|shmget 29 194|shmat 30 196|shmctl 31 195|semget 64 190|semop 65 193
semctl 66 191|semtimedop 220 192|msgget 68 186|msgsnd 69 189|msgrcv 70 188|msgctl 71 187|mq_open 240 180
mq_unlink 241 181|setpriority 141 140|ioprio_set 251 30|sched_setscheduler 144 119|sched_setparam 142 118
sched_setattr 314 274|sched_setaffinity 203 122|prlimit64 302 261|rt_sigqueueinfo 129 138|rt_tgsigqueueinfo 297 240
mknod 133 -|mknodat 259 33|fcntl 72 25|ioctl 16 29|setsid 112 157|setpgid 109 154|kill 62 129|tkill 200 130
tgkill 234 131|chmod 90 -|fchmod 91 52|fchmodat 268 53|chown 92 -|fchown 93 55|lchown 94 -|fchownat 260 54|utime 132 -
utimes 235 -|futimesat 261 -|utimensat 280 88|setxattr 188 5|lsetxattr 189 6|fsetxattr 190 7|removexattr 197 14
lremovexattr 198 15|fremovexattr 199 16|truncate 76 45|open 2 -|openat 257 56|openat2 437 437|inotify_init 253 -
inotify_init1 294 26|sendto 44 206|sendmsg 46 211|sendmmsg 307 269|seccomp 317 277
"""
_NEWEST_KNOWN = 450

_REFUSED = _words("""
socket connect bind listen ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp pidfd_open
pidfd_getfd pidfd_send_signal mount umount2 pivot_root chroot setns unshare fsopen fsconfig fsmount fspick open_tree
move_mount mount_setattr bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register keyctl
add_key request_key init_module finit_module delete_module kexec_load kexec_file_load reboot swapon swapoff acct
quotactl quotactl_fd syslog settimeofday clock_settime adjtimex clock_adjtime sethostname setdomainname
open_by_handle_at name_to_handle_at fanotify_init fanotify_mark lookup_dcookie nfsservctl vhangup iopl ioperm
modify_ldt personality mbind set_mempolicy set_mempolicy_home_node migrate_pages move_pages memfd_create memfd_secret
shmget shmat shmctl semget semop semctl semtimedop msgget msgsnd msgrcv msgctl mq_open mq_unlink setpriority
ioprio_set sched_setscheduler sched_setparam sched_setattr sched_setaffinity rt_sigqueueinfo rt_tgsigqueueinfo mknod
mknodat
""")

# Landlock (ABI 7) does not judge these; they would let a tool change files it can only read, or outlive its call.
_REFUSED_UNDER_LANDLOCK = _words("""
setsid setpgid tkill chmod fchmod fchmodat chown fchown lchown fchownat utime utimes futimesat utimensat setxattr
lsetxattr fsetxattr removexattr lremovexattr fremovexattr truncate openat2 inotify_init inotify_init1
""")

_NEW_NAMESPACES = 0x7E020000
# F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY; and F_SETPIPE_SZ: a pipe's memory is counted to no process.
_SEND_SIGNAL_OR_GROW_PIPES = (8, 10, 15, 1024, 1026, 1031)
_TYPE_INTO_A_TERMINAL_OR_SIGNAL = (0x5412, 0x541C, 0x8901, 0x8902)  # TIOCSTI, TIOCLINUX, FIOSETOWN, SIOCSPGRP
_ALL_BITS = 0xFFFFFFFF


class _When(NamedTuple):
    """Refuse ``name`` when its argument, masked, is among ``values`` (``among``) or is not."""

    name: str
    argument: int
    values: tuple[int, ...]
    among: bool
    mask: int = _ALL_BITS


_CONDITIONS = (
    _When("clone", 0, (0,), among=False, mask=_NEW_NAMESPACES),
    # Only connected pairs of streams (asyncio needs one): a datagram socket could be pointed elsewhere afterwards.
    _When("socketpair", 0, (1,), among=False),
    _When("socketpair", 1, (1,), among=False, mask=0xF),
    _When("prlimit64", 0, (0,), among=False),
    _When("fcntl", 1, _SEND_SIGNAL_OR_GROW_PIPES, among=True),
    _When("ioctl", 1, _TYPE_INTO_A_TERMINAL_OR_SIGNAL, among=True),
)

# Opened for reading, yet emptied: older Landlock sees the reading only.
_EMPTYING = os.O_TRUNC | os.O_ACCMODE
_NO_EMPTYING = (
    _When("open", 1, (os.O_TRUNC,), among=True, mask=_EMPTYING),
    _When("openat", 2, (os.O_TRUNC,), among=True, mask=_EMPTYING),
)

_MSG_FASTOPEN = 0x20000000
# TCP only; and no sending that connects, which would get past the connecting that does nothing.
_PROXY_ONLY = (
    _When("socket", 0, (2,), among=False),
    _When("socket", 1, (1,), among=False, mask=0xF),
    _When("socket", 2, (0, 6), among=False),
    _When("sendto", 3, (_MSG_FASTOPEN,), among=True, mask=_MSG_FASTOPEN),
    _When("sendmsg", 2, (_MSG_FASTOPEN,), among=True, mask=_MSG_FASTOPEN),
    _When("sendmmsg", 3, (_MSG_FASTOPEN,), among=True, mask=_MSG_FASTOPEN),
)

_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_ALLOW, _KILL, _REFUSE, _ASK = 0x7FFF0000, 0x80000000, 0x00050000, 0x7FC00000
_DO_NOTHING = 0


def prepare(*, under_landlock: bool, networked: bool) -> bytes:
    """The part of the filter that is the same for every call: 1 ms of work, to be done once.

    ``networked``: for ``install_asking``.

    Raises ``RuntimeError`` on a machine whose call numbers are not known here.
    """
    machine = os.uname().machine
    if machine not in _ARCHITECTURES:
        raise RuntimeError(f"the system calls of {machine} are not known to this sandbox (x86_64 and aarch64 are)")
    architecture, column = _ARCHITECTURES[machine]
    numbers = _numbers(column)
    code = [
        _step(_LOAD, 4),
        _step(_EQUAL, architecture, 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, 0),
        *_refuse_when(_AT_LEAST, _NEWEST_KNOWN + 1, errno.ENOSYS),
        *_refuse_when(_EQUAL, numbers["clone3"], errno.ENOSYS),  # The C library then falls back to clone.
    ]
    for name in _REFUSED + (_REFUSED_UNDER_LANDLOCK if under_landlock else []):
        if name in numbers and not (networked and name in {"socket", "connect"}):
            code += _refuse_when(_EQUAL, numbers[name], errno.EPERM)
    conditions = _CONDITIONS + (_NO_EMPTYING if under_landlock else ()) + (_PROXY_ONLY if networked else ())
    filter_ = b"".join(code) + _conditionals(conditions, numbers)
    if networked:
        filter_ += b"".join(_refuse_when(_EQUAL, numbers["connect"], _DO_NOTHING))
        filter_ += _step(_EQUAL, numbers["socket"], 0, 1) + _step(_RETURN, _ASK)
    return filter_


def only_own_signals() -> bytes:
    """A further part: the calling process may signal itself and its group, nobody else."""
    own = os.getpid()
    only = (_When("kill", 0, (own, 0), among=False), _When("tgkill", 0, (own,), among=False))
    return _conditionals(only, numbers())


def install(*parts: bytes) -> None:
    """Hold the calling process and all it starts to the filter. Raises ``OSError`` where there is no seccomp."""
    header, _ = _program(parts)
    libc.prctl(libc.PR_SET_SECCOMP, 2, ctypes.addressof(header))


def install_asking(*parts: bytes) -> int:
    """As ``install``. Gives the descriptor that the supervisor answers the asking for sockets through."""
    header, _ = _program(parts)
    return libc.seccomp_with_listener(numbers()["seccomp"], ctypes.addressof(header))


def _program(parts: tuple[bytes, ...]) -> tuple[ctypes.Array[ctypes.c_char], ctypes.Array[ctypes.c_char]]:
    """The filter's header, and the code it points to, which has to live as long."""
    code = b"".join((*parts, _step(_RETURN, _ALLOW)))
    buffer = ctypes.create_string_buffer(code, len(code))
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    return ctypes.create_string_buffer(struct.pack("HL", len(code) // 8, ctypes.addressof(buffer))), buffer


def numbers() -> dict[str, int]:
    """The system calls named here, and their numbers on this machine."""
    return _numbers(_ARCHITECTURES[os.uname().machine][1])


@cache
def _numbers(column: int) -> dict[str, int]:
    rows = [entry.split() for line in _NUMBERS.split("\n") for entry in line.split("|") if entry]
    return {row[0]: int(row[1 + column]) for row in rows if row[1 + column] != "-"}


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)


def _refuse_when(test: int, number: int, reason: int) -> list[bytes]:
    return [_step(test, number, 0, 1), _step(_RETURN, _REFUSE | reason)]


def _conditionals(conditions: Iterable[_When], numbers: dict[str, int]) -> bytes:
    return b"".join(
        step for when in conditions if when.name in numbers for step in _conditional(numbers[when.name], when)
    )


def _conditional(number: int, when: _When) -> list[bytes]:
    refuse = _step(_RETURN, _REFUSE | errno.EPERM)
    reload_number = _step(_LOAD, 0)
    count = len(when.values)
    # A match jumps to "refuse" when matches are refused, over it otherwise; the last miss does the opposite.
    tests = [_step(_EQUAL, value, count - 1 - i + (not when.among), 0) for i, value in enumerate(when.values)]
    if when.among:
        tests[-1] = _step(_EQUAL, when.values[-1], 0, 1)
    body = [_step(_LOAD, 16 + 8 * when.argument), _step(_AND, when.mask), *tests, refuse, reload_number]
    return [_step(_EQUAL, number, 0, len(body)), *body]
