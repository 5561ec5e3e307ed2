"""Server-sent events out of bytes as they come. A chunk may end anywhere, inside a UTF-8 character too."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event. ``data`` is its data lines joined by a newline."""

    data: bytes
    name: str = ""


class EventReader:
    """Bytes in, events out. Follows the HTML standard, but that a carriage return alone ends no line."""

    def __init__(self) -> None:
        self._rest = b""
        self._name = ""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            yield from self._line(line.removesuffix(b"\r"))

    def end(self) -> Iterator[ServerEvent]:
        """The event that the stream broke off in, for servers that leave out the last empty line."""
        yield from self._line(self._rest)
        yield from self._line(b"")

    def _line(self, line: bytes) -> Iterator[ServerEvent]:
        if not line:
            yield from self._dispatch()
            return
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
        elif field == b"event":
            self._name = value.decode(errors="replace")

    def _dispatch(self) -> Iterator[ServerEvent]:
        data, name = b"\n".join(self._data), self._name
        self._data, self._name = [], ""
        if data:
            yield ServerEvent(data, name)
