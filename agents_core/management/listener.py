"""The listening socket: taken before anything is started, and kept while the web server behind it comes and goes."""

import errno
import socket
from contextlib import suppress

from django.core.management.base import CommandError

_BACKLOG = 256


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket that children inherit. Raises ``CommandError`` saying who has the port already."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        raise CommandError(_explain(error, host, port)) from None
    listener.set_inheritable(True)
    return listener


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken{_by_whom(port)}: stop that one, or choose another with PORT={port + 1}."
    if error.errno == errno.EACCES:
        return f"Port {port} is for root only: choose another, such as PORT=8283."
    return f"HOST={host} is no address of this machine ({error.strerror}): use 127.0.0.1."


def _by_whom(port: int) -> str:
    import psutil

    with suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return f" by process {connection.pid} ({psutil.Process(connection.pid).name()})"
    return ""
