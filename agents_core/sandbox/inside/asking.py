"""Questions of a tool to the server while it runs, each a JSON object behind its length, and so the answer."""

import json
import os
import threading
from typing import Any

_LENGTH_BYTES = 4


class Questions:
    """Asks on the socket ``fd``; on none, nothing can be asked."""

    def __init__(self, fd: int | None) -> None:
        self._fd = fd
        self._turn = threading.Lock()

    def ask(self, name: str, **arguments: Any) -> Any:
        """Raises ``ValueError`` in the server's words, ``RuntimeError`` where there is nobody to ask."""
        if self._fd is None:
            raise RuntimeError("archival memory cannot be reached in this run")
        body = json.dumps({"name": name, "arguments": arguments}, default=_written).encode()
        with self._turn:
            _write(self._fd, len(body).to_bytes(_LENGTH_BYTES, "big") + body)
            answer = json.loads(_read(self._fd, int.from_bytes(_read(self._fd, _LENGTH_BYTES), "big")))
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["value"]


def _written(value: Any) -> str:
    """A moment as ISO 8601."""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _write(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _read(fd: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = os.read(fd, size - len(data))
        if not chunk:
            raise RuntimeError("the server does not answer: the question was too long, or the call is over")
        data += chunk
    return data
