"""How a tool with a network gets out of its cage: by connections to the server's proxy, made here and handed to it.

Source: "Seccomp user-space notification" in Documentation/userspace-api/seccomp_filter.rst of Linux.
"""

import contextlib
import errno
import fcntl
import os
import socket
import struct

from agents_core.sandbox.inside import wire

_RECEIVE, _SEND, _ADD_DESCRIPTOR = 0xC0502100, 0xC0182101, 0x40182103
# id, process, flags; number, architecture, instruction; six arguments.
_QUESTION = struct.Struct("=QII iIQ 6Q")
_ANSWER = struct.Struct("=QqiI")
_DESCRIPTOR = struct.Struct("=QIIII")
_MOST_CONNECTIONS = 512
_MOST_UNCONFIRMED = 4
"""Connections the server has not taken yet. The kernel bounds those of all calls together."""


class Door:
    """Answers each ``socket()`` of the tool with a socket that is connected, its other end sent up ``channel``.

    The two ends meet on the loopback of the supervisor's network: bubblewrap's, in which there is nothing else, or
    under Landlock the host's. ``questions`` is the descriptor that the filter of the tool asks through.
    """

    def __init__(self, questions: int, channel: socket.socket) -> None:
        self.fd = questions
        self._channel = channel
        self._left = _MOST_CONNECTIONS
        self.unconfirmed = 0

    def answer(self) -> bool:
        """Answer one question. False when the next has to wait until the server has taken what it was given."""
        question = bytearray(_QUESTION.size)
        try:
            fcntl.ioctl(self.fd, _RECEIVE, question)
        except OSError:
            return True  # Who asked is dead.
        number, *_, kind, _, _, _, _ = _QUESTION.unpack(question)
        try:
            self._hand_over(number, kind)
        except OSError as error:
            self._send(number, error=error.errno or errno.EPERM)
        return self.unconfirmed < _MOST_UNCONFIRMED

    def _hand_over(self, number: int, kind: int) -> None:
        if not self._left:
            raise OSError(errno.ENFILE, "too many connections in one call")
        self._left -= 1
        near, far = _connected()
        with near, far:
            near.setblocking(not kind & socket.SOCK_NONBLOCK)
            socket.send_fds(self._channel, [wire.pack_note(wire.CONNECTION)], [far.fileno()])
            self.unconfirmed += 1
            close_on_exec = os.O_CLOEXEC if kind & socket.SOCK_CLOEXEC else 0
            order = bytearray(_DESCRIPTOR.pack(number, 0, near.fileno(), 0, close_on_exec))
            self._send(number, value=fcntl.ioctl(self.fd, _ADD_DESCRIPTOR, order))

    def _send(self, number: int, value: int = 0, error: int = 0) -> None:
        with contextlib.suppress(OSError):  # Who asked is dead, or was woken by a signal and asks again.
            fcntl.ioctl(self.fd, _SEND, bytearray(_ANSWER.pack(number, value, -error, 0)))


def _connected() -> tuple[socket.socket, socket.socket]:
    """Both ends of a TCP connection of this process with itself. Raises ``OSError``."""
    with socket.create_server(("127.0.0.1", 0), backlog=1) as listener:
        near = socket.create_connection(listener.getsockname(), timeout=1)
        far, peer = listener.accept()
    if peer != near.getsockname():
        near.close()
        far.close()
        raise OSError(errno.ECONNABORTED, "another process came between")
    return near, far
