"""The folder that a tool under Landlock writes to: what it takes, and how it is removed, whatever the tool made of it."""

import os
import stat
import sys
from collections.abc import Iterable, Iterator

_ENTRY_BYTES = 1024
"""What the kernel keeps for a file or folder with nothing in it."""
_HIDDEN = sys.maxsize


def used_bytes(folder: str, proc: int, processes: Iterable[int]) -> int:
    """What is under ``folder``, and in files that were deleted there and that ``processes`` hold open.

    More than any limit when a folder was made so that it cannot be looked into. ``proc`` is a descriptor of /proc.
    """
    total, waiting = 0, [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    total += _ENTRY_BYTES + entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except FileNotFoundError:
            continue  # It was deleted meanwhile.
        except OSError:
            return _HIDDEN
    return total + sum(_deleted(proc, processes).values())


def _deleted(proc: int, processes: Iterable[int]) -> dict[tuple[int, int], int]:
    """Device and inode of deleted files held open, and their bytes."""
    held = (file for pid in processes for file in _open_files(proc, pid))
    return {
        (file.st_dev, file.st_ino): file.st_blocks * 512
        for file in held
        if stat.S_ISREG(file.st_mode) and not file.st_nlink
    }


def _open_files(proc: int, pid: int) -> Iterator[os.stat_result]:
    try:
        fds = _open_folder(f"{pid}/fd", proc)
    except OSError:
        return  # It ended in the meantime.
    try:
        for name in os.listdir(fds):  # noqa: PTH208 - as in this whole package, no pathlib
            try:
                yield os.stat(name, dir_fd=fds)
            except OSError:
                continue
    finally:
        os.close(fds)


def remove(folder: str) -> None:
    """Remove ``folder`` with all in it, however deep and whatever its modes. Nobody writes to it any more.

    What lies in an inner folder is moved up first: the way down to it could be longer than a path may be. Raises
    ``OSError`` when something cannot be removed.
    """
    top = _open_folder(folder)
    prefix, moved = os.urandom(8).hex(), 0
    try:
        while names := os.listdir(top):  # noqa: PTH208
            for name in names:
                if not _is_folder(top, name):
                    os.unlink(name, dir_fd=top)
                    continue
                for one in _empty(top, name):
                    moved += 1
                    os.rename(f"{name}/{one}", f"{prefix}-{moved}", src_dir_fd=top, dst_dir_fd=top)
                os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)
    os.rmdir(folder)  # noqa: PTH106


def _empty(top: int, name: str) -> list[str]:
    """Delete the files of a folder. Gives the names of the folders in it, which are made fit to be moved."""
    os.chmod(name, 0o700, dir_fd=top)
    inner = _open_folder(name, top)
    folders = []
    try:
        for one in os.listdir(inner):  # noqa: PTH208
            if _is_folder(inner, one):
                os.chmod(one, 0o700, dir_fd=inner)
                folders.append(one)
            else:
                os.unlink(one, dir_fd=inner)
    finally:
        os.close(inner)
    return folders


def _open_folder(path: str, within: int | None = None) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=within)


def _is_folder(within: int, name: str) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=within, follow_symlinks=False).st_mode)
