"""The people of the chaos test: each talks to one agent and notes what the server has acknowledged."""

import http.client
import json
import threading
import time
from dataclasses import dataclass
from itertools import count
from typing import Any

from tests.e2e.serving import Server

TOOL = '''
def stamp(token: str) -> str:
    """Stamps.

    Args:
        token: What to stamp.
    """
    return "stamped " + token
'''
_STOPS = ({"kind": "model"}, {"kind": "tool", "target": "stamp"}, {"kind": "result"})
"""Where the runs of every fifth agent stand until its person lets them go on."""
GONE = (OSError, http.client.HTTPException, ValueError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A message that the server said it has. ``token`` stands in it and nowhere else."""

    agent_id: str
    run_id: str
    token: str


class Crowd:
    """``agents`` people who talk without pause from entry to exit of the ``with`` block."""

    def __init__(self, server: Server, agents: int) -> None:
        self._server = server
        self._stop = threading.Event()
        self.acknowledged: list[Acknowledged] = []
        tool = self._ask("POST", "/v1/tools/", {"source_code": TOOL})
        self._agents = [self._new_agent(number, tool["id"]) for number in range(agents)]
        self._stopped = set(self._agents[::5])
        for agent_id in self._stopped:
            for stop in _STOPS:
                self._ask("POST", f"/v1/agents/{agent_id}/breakpoints", stop)
        self._threads = [threading.Thread(target=self._talk, args=(n, each)) for n, each in enumerate(self._agents)]

    def __enter__(self) -> "Crowd":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for_the_end(self, patience_s: float) -> float:
        """Returns when no run is active, or when the patience is at its end; gives how long it took."""
        began = time.monotonic()
        while time.monotonic() - began < patience_s:
            try:
                self._let_all_go_on()
                if not self._ask("GET", "/v1/runs/?active=true&limit=1"):
                    break
            except GONE:
                pass
            time.sleep(0.2)
        return time.monotonic() - began

    def _let_all_go_on(self) -> None:
        """Lets go on what stands, and takes the breakpoints away."""
        for agent_id in self._stopped:
            for each in self._ask("GET", f"/v1/agents/{agent_id}/breakpoints"):
                self._ask("DELETE", f"/v1/breakpoints/{each['id']}")
            self._let_go_on(agent_id)

    def _let_go_on(self, agent_id: str) -> None:
        for pause in self._ask("GET", f"/v1/agents/{agent_id}/pauses?standing=true"):
            self._ask("POST", f"/v1/agents/{agent_id}/pauses/{pause['id']}/resume", {})

    def problems(self) -> list[str]:
        """Agents that do not answer any more."""
        return [f"{each} does not answer: {said}" for each in self._agents if (said := self._last_word(each))]

    def _last_word(self, agent_id: str) -> str:
        try:
            answer = self._ask("POST", f"/v1/agents/{agent_id}/messages", {"input": "Thank you."})
        except GONE as error:
            return f"{type(error).__name__}: {error}"
        reason = answer["stop_reason"]["stop_reason"]
        return "" if reason == "end_turn" else reason

    def _new_agent(self, number: int, tool_id: str) -> str:
        fields = {
            "name": f"Chaos {number}",
            "model": "offline/rules",
            "memory_blocks": [{"label": "human", "value": ""}],
            "tools": ["archival_memory_insert", "archival_memory_search"],
            "tool_ids": [tool_id],
        }
        return str(self._ask("POST", "/v1/agents/", fields)["id"])

    def _talk(self, number: int, agent_id: str) -> None:
        for turn in count():
            if self._stop.is_set():
                return
            token = f"tok{number:03}x{turn:05}"
            text = (
                f"Remember that the box {token} stands in the attic.",
                f"I live in {token.capitalize()}.",
                f'call stamp with token="{token}"',
            )[turn % 3]
            try:
                run = self._ask("POST", f"/v1/agents/{agent_id}/messages/async", _message(text))
            except GONE:
                self._stop.wait(0.3)  # whether it was stored nobody knows; its token is not used again
                continue
            self.acknowledged.append(Acknowledged(agent_id, run["id"], token))
            self._until_answered(agent_id, run["id"])

    def _until_answered(self, agent_id: str, run_id: str) -> None:
        while not self._stop.wait(0.1):
            try:
                if agent_id in self._stopped:
                    self._let_go_on(agent_id)
                if self._ask("GET", f"/v1/runs/{run_id}")["completed_at"]:
                    return
            except GONE:
                self._stop.wait(0.3)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body)
        response, answer = self._server.ask(path, method, data, {"Content-Type": "application/json"})
        if response.status >= 300:
            raise RuntimeError(f"{response.status} {answer[:300]!r}")
        return json.loads(answer)


def _message(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}
