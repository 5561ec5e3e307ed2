"""Starting: from the command to the first answers, with a database that is there already."""

import http.client
import json
import signal
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.bench import HEALTH, new_agent
from benchmarks.parts.tools import RUN
from benchmarks.table import Row
from tests.e2e.serving import Server

_JSON = {"content-type": "application/json"}
PART = "Starting `manage.py serve`"


def measure(home: Path, starts: int, settings: dict[str, str]) -> list[Row]:
    """Makes the database of ``home`` in a first start, then starts again so many times."""
    began = time.perf_counter()
    with Server(home, **settings) as server:
        first_ms = (time.perf_counter() - began) * 1000
        agent = json.loads(_answered(server, "POST", "/v1/agents/", new_agent()))["id"]
        server.stop(signal.SIGINT)
    times: dict[str, list[float]] = defaultdict(list)
    for _ in range(starts):
        for name, taken_ms in _start(home, agent, settings).items():
            times[name].append(taken_ms)
    first = Row(PART, "the very first start, the database made", [first_ms])
    return [first, *(Row(PART, name, taken) for name, taken in times.items())]


def _start(home: Path, agent: str, settings: dict[str, str]) -> dict[str, float]:
    """What each first answer took, counted from the command."""
    message = {"input": "Are you there?"}
    asked: dict[str, tuple[str, str, Any]] = {
        f"until `GET {HEALTH}` answers": ("GET", HEALTH, None),
        "until the page `/agents` answers": ("GET", "/agents", None),
        "until an agent has answered a message": ("POST", f"/v1/agents/{agent}/messages", message),
    }
    times, server = {}, Server(home, **settings)
    began = time.perf_counter()
    server.launch()
    try:
        for name, (method, path, body) in asked.items():
            _answered(server, method, path, body)
            times[name] = (time.perf_counter() - began) * 1000
        called = time.perf_counter()
        _answered(server, "POST", "/v1/tools/run", RUN)
        times["then the first custom tool call, the sandbox cold"] = (time.perf_counter() - called) * 1000
    finally:
        server.stop()
    return times


def _answered(server: Server, method: str, path: str, body: Any = None) -> bytes:
    """The body of a 200, asked again and again until the server listens."""
    give_up_at = time.monotonic() + 60
    while True:
        try:
            response, content = server.ask(path, method, json.dumps(body) if body else None, _JSON)
        except (OSError, http.client.HTTPException):
            assert server.process.poll() is None, server.output
            assert time.monotonic() < give_up_at, server.output
            time.sleep(0.005)
            continue
        assert response.status == 200, content
        return content
