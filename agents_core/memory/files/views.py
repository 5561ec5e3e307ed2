"""The part of a file that an agent sees when it has it open."""

from dataclasses import dataclass

NOT_READ_YET = "[The file is still being read: its text will stand here.]"


@dataclass(frozen=True, slots=True)
class View:
    """``text`` as shown: a heading and numbered lines. It shows the lines from ``start`` (0 is the first) to before ``end``."""

    text: str
    start: int
    end: int


def view_of(text: str | None, start: int, length: int | None, limit: int) -> View:
    """At most ``length`` lines from ``start`` on, and no more than ``limit`` characters; a line that alone is longer is cut.

    ``text`` None: the file was not read yet.
    """
    if text is None:
        return View(NOT_READ_YET, start, start)
    lines = text.split("\n")
    start = min(start, len(lines) - 1)
    wanted = lines[start:] if length is None else lines[start : start + length]
    shown: list[str] = []
    left = limit
    for number, line in enumerate(wanted, start=start + 1):
        if len(line) > left and shown:
            break
        shown.append(f"{number}→ {line[:left]}")
        left -= len(line) + 1
    end = start + len(shown)
    heading = f"[Lines {start + 1} to {end} of {len(lines)}]"
    return View("\n".join([heading, *shown]), start, end)
