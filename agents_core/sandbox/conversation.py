"""What passes between the server and the supervisor of one call while it runs."""

import asyncio
import contextlib
import os
import socket
from collections import deque
from collections.abc import Callable

from agents_core.sandbox.inside import wire

_CHUNK_BYTES = 64 * 1024
_MOST_FDS = 4


class Conversation:
    """Collects the reply of one call.

    ``on_memory`` is called when ``memory_bytes`` is known anew, ``on_connection`` with the proxy's end of each connection
    that the tool makes, ``on_asks`` with the server's end of the socket on which it asks.
    """

    def __init__(
        self,
        on_memory: Callable[[], None],
        on_connection: Callable[[socket.socket], None],
        on_asks: Callable[[socket.socket], None],
    ) -> None:
        self.reply = bytearray()
        self.memory_bytes = 0
        self.stopped = ""
        """The sentence the server ended the call with, if it did."""
        self._on_memory = on_memory
        self._on_connection = on_connection
        self._on_asks = on_asks
        self._descriptors: deque[int] = deque()
        self._channel: socket.socket | None = None
        self._replying = False

    async def listen(self, channel: socket.socket) -> None:
        """Read until the end of the reply. A supervisor that dies leaves it short."""
        self._channel = channel
        try:
            while received := await self._receive(channel):
                self.reply += received
                self._take_notes(channel)
        except ConnectionError:
            pass  # The supervisor ended without reading all it was sent; what it said before has been read.
        finally:
            self._channel = None
            for descriptor in self._descriptors:
                os.close(descriptor)

    def stop(self, sentence: str) -> None:
        """Have the supervisor end the call; it still tells what came out of it."""
        if self._channel is not None and not self.stopped:
            self.stopped = sentence
            with contextlib.suppress(OSError):  # It has ended meanwhile.
                self._channel.shutdown(socket.SHUT_WR)

    async def _receive(self, channel: socket.socket) -> bytes:
        while True:
            try:
                received, fds, _, _ = socket.recv_fds(channel, _CHUNK_BYTES, _MOST_FDS, socket.MSG_CMSG_CLOEXEC)
            except BlockingIOError:
                await _readable(channel)
                continue
            self._descriptors.extend(fds)
            return received

    def _take_notes(self, channel: socket.socket) -> None:
        if self._replying:
            return
        for kind, value in wire.take_notes(self.reply):
            self._replying = kind == wire.REPLY
            if kind == wire.MEMORY:
                self.memory_bytes = value
                self._on_memory()
            elif kind == wire.CONNECTION:
                self._on_connection(self._next_socket())
                with contextlib.suppress(OSError):  # The supervisor has ended.
                    channel.send(wire.TAKEN)
            elif kind == wire.ASKS:
                self._on_asks(self._next_socket())

    def _next_socket(self) -> socket.socket:
        """The kernel keeps descriptors in the order of the notes that they came with."""
        return socket.socket(fileno=self._descriptors.popleft())


async def _readable(channel: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(channel, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(channel)
