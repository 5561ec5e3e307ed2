"""The model of the benchmarks: an OpenAI-compatible server in a process of its own, which answers at once.

``python -m benchmarks.model`` prints its port and serves until its input ends. A message that says ``steps=4`` is answered
with three tool calls, one a step, and then a text; any other with a text. ``wait_ms=1000`` in it has each answer come so late.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.llm.fake_server import FakeModelServer, Received, Reply

NAME = "benchmark"
_STEPS = re.compile(r"steps=(\d+)")
_WAIT = re.compile(r"wait_ms=(\d+)")
_CALLS = (
    ("archival_memory_insert", {"content": "Ana moved to Lisbon in May 2023 and works at the harbour."}),
    ("archival_memory_search", {"query": "Where does Ana work?"}),
    ("memory_rethink", {"label": "human", "new_memory": "Her name is Ana. She lives in Lisbon."}),
)
TOOLS = [name for name, _ in _CALLS]


def request_of(text: str) -> dict[str, Any]:
    """A request of about the size that a small agent's has."""
    messages = [
        {"role": "system", "content": "You are a friendly companion. " * 200},
        {"role": "user", "content": text},
    ]
    return {"model": NAME, "stream": True, "messages": messages}


def answer(received: Received) -> Reply:
    messages = received.json["messages"]
    asked = max(place for place, message in enumerate(messages) if message["role"] == "user")
    said = str(messages[asked]["content"])
    steps, wait = _STEPS.search(said), _WAIT.search(said)
    delay_s = int(wait[1]) / 1000 if wait else 0.0
    taken = sum(message["role"] == "tool" for message in messages[asked:])
    if steps is None or taken >= int(steps[1]) - 1:
        return Reply("Good to hear. Tell me more about it when you have the time.", delay_s=delay_s)
    name, arguments = _CALLS[taken % len(_CALLS)]
    return Reply(calls=((name, json.dumps(arguments)),), delay_s=delay_s)


@contextmanager
def running() -> Iterator[int]:
    """The model's port, for the length of a ``with`` block."""
    command = [sys.executable, "-m", "benchmarks.model"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        yield int(process.stdout.readline())
        process.stdin.close()


def _main() -> None:
    with FakeModelServer() as server:
        server.default = answer
        server.models = [{"id": NAME, "object": "model", "max_model_len": 128_000}]
        print(server.port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    _main()
