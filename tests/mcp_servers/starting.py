"""Starting the MCP servers of the tests, and where they are reached."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agents_core.models import McpServer
from agents_core.models.sealed import seal
from agents_core.tools.mcp.target import Target, target_of

HERE = Path(__file__).parent
_STARTS_WITHIN_S = 20.0


def toolbox_server(**fields: Any) -> McpServer:
    """The good server as a program."""
    return program("toolbox.py", "stdio", **fields)


def bad_server(how: str, **fields: Any) -> McpServer:
    return program("bad.py", how, **fields)


def program(script: str, *args: str, env: dict[str, str] | None = None, **fields: Any) -> McpServer:
    return McpServer(
        name=fields.pop("name", "toolbox"),
        kind="stdio",
        command=sys.executable,
        args=[str(HERE / script), *args],
        sealed_secrets=seal_env(env or {}),
        **fields,
    )


def seal_env(env: dict[str, str]) -> bytes:
    return seal(json.dumps({"env": env}))


def target(server: McpServer, **variables: str) -> Target:
    return target_of(server, variables)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(transport: str, port: int | None = None, **env: str) -> Iterator[McpServer]:
    """The good server at an address, ``sse`` or ``streamable-http``."""
    port = port or free_port()
    kind, path = ("sse", "sse") if transport == "sse" else ("streamable_http", "mcp")
    with _running(port, "toolbox.py", transport, str(port), **env):
        yield McpServer(name="toolbox", kind=kind, url=f"http://127.0.0.1:{port}/{path}")


@contextmanager
def guarded(tokens_live_s: int = 3600, port: int | None = None) -> Iterator[str]:
    """The address of a server that asks people to sign in, and has forgotten them all when it starts."""
    port = port or free_port()
    with _running(port, "guarded.py", str(port), str(tokens_live_s)):
        yield f"http://127.0.0.1:{port}/mcp"


@contextmanager
def _running(port: int, script: str, *args: str, **env: str) -> Iterator[None]:
    command = [sys.executable, str(HERE / script), *args]
    with subprocess.Popen(command, env={**os.environ, **env}) as process:
        try:
            _await_port(port, process)
            yield
        finally:
            process.kill()


def _await_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("The MCP server of the test did not start.")
