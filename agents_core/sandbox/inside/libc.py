"""The system calls Python has no function for. Each raises ``OSError`` that names the call."""

import ctypes
import os

CLONE_NEWNS = 0x00020000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def _checked(result: int, name: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def prctl(option: int, *arguments: int) -> None:
    padded = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    _checked(_libc.prctl(option, *padded), f"prctl({option})")


def unshare(flags: int) -> None:
    _checked(_libc.unshare(flags), "unshare")


def mount_tmpfs(target: str, flags: int, options: str) -> None:
    _checked(
        _libc.mount(b"tmpfs", target.encode(), b"tmpfs", ctypes.c_ulong(flags), options.encode()), f"mount {target}"
    )


def syscall(name: str, number: int, *arguments: object) -> int:
    """Arguments are ctypes objects or plain integers, which are passed as longs."""
    values = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return _checked(_libc.syscall(ctypes.c_long(number), *values), name)


def seccomp_with_listener(number: int, program: int) -> int:
    """Install the filter at the address ``program``. Gives the descriptor that its notifications are read from."""
    return syscall("seccomp", number, 1, 1 << 3, program)


def drop_capabilities() -> None:
    """Give up every capability of the calling thread for good; ``no_new_privs`` keeps them from coming back."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _checked(_libc.capset(header, nothing), "capset")


def one_malloc_arena() -> None:
    """Keep glibc from reserving 64 MB of address space per thread, which counts against the memory limit.

    A C library without ``mallopt`` (musl) has no such arenas.
    """
    if hasattr(_libc, "mallopt"):
        _libc.mallopt(-8, 1)
