"""Messages between the server and a supervisor, on a socket made for one call and closed with it.

There: one JSON object behind its length; then a byte for each connection taken. Back: notes while the call runs; then a
JSON header behind its length, the bytes the header measures, and the end of the stream. The tool's own bytes are
carried, never read, on this side of the server.
"""

import json
import socket
import struct
from collections.abc import Iterator
from typing import Any

_LENGTH = struct.Struct(">I")
_NOTE = struct.Struct(">cQ")
MEMORY = b"m"
"""A note of how many bytes the call uses now."""
CONNECTION = b"c"
"""A note that comes with a descriptor: the proxy's end of a connection the tool has asked for."""
ASKS = b"a"
"""A note that comes with a descriptor: the server's end of the socket on which the tool asks."""
TAKEN = b"t"
"""The server's word that it has the connection in hand."""
REPLY = b"r"
"""The last note: what follows is the reply."""


def pack_request(request: dict[str, Any]) -> bytes:
    """Raises ``ValueError`` or ``TypeError`` when ``request`` is not JSON data."""
    body = json.dumps(request).encode()
    return _LENGTH.pack(len(body)) + body


def receive_request(channel: socket.socket) -> bytes:
    """The body of the request, unread. Raises ``EOFError`` when the server hung up before its end."""
    (length,) = _LENGTH.unpack(_receive(channel, _LENGTH.size))
    return _receive(channel, length)


def pack_reply(header: dict[str, Any], *parts: bytes) -> bytes:
    body = json.dumps({**header, "sizes": [len(part) for part in parts]}).encode()
    return b"".join((pack_note(REPLY), _LENGTH.pack(len(body)), body, *parts))


def pack_note(kind: bytes, value: int = 0) -> bytes:
    return _NOTE.pack(kind, value)


def take_notes(received: bytearray) -> Iterator[tuple[bytes, int]]:
    """The whole notes at the front of ``received``, each removed from it, none past the one that begins the reply."""
    while len(received) >= _NOTE.size:
        kind, value = _NOTE.unpack_from(received)
        del received[: _NOTE.size]
        yield kind, value
        if kind == REPLY:
            return


def unpack_reply(reply: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """The header and its parts, of what follows the notes. Raises ``ValueError`` when ``reply`` is not whole."""
    if len(reply) < _LENGTH.size:
        raise ValueError("no reply")
    (length,) = _LENGTH.unpack_from(reply)
    start = _LENGTH.size + length
    header: dict[str, Any] = json.loads(reply[_LENGTH.size : start])
    parts = []
    for size in header["sizes"]:
        parts.append(reply[start : start + size])
        start += size
    if start != len(reply):
        raise ValueError("the reply was cut short")
    return header, parts


def _receive(channel: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        chunk = channel.recv(min(size - len(data), 1 << 20))
        if not chunk:
            raise EOFError
        data += chunk
    return bytes(data)
