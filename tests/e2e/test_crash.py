"""Whatever dies in the middle of a turn, after the restart every message is there and the run has come to an end."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.homes import filled
from tests.e2e.serving import Server

pytestmark = pytest.mark.timeout(400)

PATIENCE_S = 90.0
SLOW = {"text": "At last.", "delay_s": 2.5}
NOTE = {"calls": [["core_memory_append", {"label": "human", "content": "Likes tea."}]]}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled(tmp_path_factory.mktemp("crash") / "home")


class Person:
    """Someone who talks to an agent of a server over HTTP, as a client would."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def ask(self, path: str, body: Any = None, method: str | None = None) -> Any:
        data = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json"}
        response, answer = self.server.ask(path, method or ("POST" if data else "GET"), data, headers)
        assert response.status < 300, (response.status, answer)
        return json.loads(answer)

    def new_agent(self) -> str:
        blocks = [{"label": "human", "value": "Her name is Ada."}]
        fields = {"model": "scripted/any", "memory_blocks": blocks, "tools": ["core_memory_append"]}
        return str(self.ask("/v1/agents/", fields)["id"])

    def send(self, agent_id: str, text: str) -> str:
        """Sends a message, to be answered in the background; gives its run's id."""
        return str(self.ask(f"/v1/agents/{agent_id}/messages/async", _messages(text))["id"])

    def run(self, run_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask(f"/v1/runs/{run_id}")
        return found

    def history(self, agent_id: str, kind: str) -> list[str]:
        """What was said to the agent ("user_message") or by it ("assistant_message"), oldest first."""
        return [message["content"] for message in self.messages(agent_id) if message["message_type"] == kind]

    def messages(self, agent_id: str) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.ask(f"/v1/agents/{agent_id}/messages?limit=100&order=asc")
        return listed

    def until(self, true: Callable[[], Any]) -> None:
        """Waits until ``true``, through times when the server is away."""
        give_up_at = time.monotonic() + PATIENCE_S
        while True:
            try:
                if true():
                    return
            except (OSError, HTTPException, AssertionError, ValueError, IndexError):
                pass
            assert time.monotonic() < give_up_at, self.server.output
            time.sleep(0.05)

    def until_ended(self, run_id: str) -> dict[str, Any]:
        self.until(lambda: self.run(run_id)["status"] not in ("created", "running"))
        return self.run(run_id)

    def until_thinking(self, agent_id: str) -> None:
        """Waits until the agent has noted something; what it does next takes a while."""
        self.until(lambda: [one for one in self.messages(agent_id) if one["message_type"] == "tool_return_message"])
        time.sleep(0.3)


def _messages(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a model that notes something, thinks for a while, and answers; then answers at once."""
    file = tmp_path_factory.mktemp("script") / "script.json"
    file.write_text(json.dumps([NOTE, SLOW, *["And again."] * 9]))
    return file.as_uri()


@pytest.fixture(scope="class")
def server(home: Path, script: str) -> Iterator[Server]:
    with Server(home, SCRIPTED_BASE_URL=script) as server:
        yield server


def begin(server: Server) -> tuple[Person, str, str]:
    """A person, an agent, and the agent's run, which is in the middle of its turn."""
    person = Person(server)
    agent_id = person.new_agent()
    run_id = person.send(agent_id, "I like tea")
    person.until_thinking(agent_id)
    return person, agent_id, run_id


def check(person: Person, agent_id: str, *run_ids: str) -> None:
    runs = [person.until_ended(run_id) for run_id in run_ids]
    assert [(run["status"], run["stop_reason"]) for run in runs] == [("completed", "end_turn")] * len(runs)
    assert person.history(agent_id, "user_message") == ["I like tea", "And now?"]
    assert person.history(agent_id, "assistant_message") == ["At last.", "And again."]
    blocks = person.ask(f"/v1/agents/{agent_id}/core-memory/blocks")
    assert [block["value"] for block in blocks] == ["Her name is Ada.\nLikes tea."]


class TestOneServerOutlives:
    def test_a_worker_that_is_killed(self, server: Server) -> None:
        person, agent_id, run_id = begin(server)
        after = person.send(agent_id, "And now?")
        server.child("agent_worker").kill()
        check(person, agent_id, run_id, after)

    def test_a_worker_that_is_asked_to_stop(self, server: Server) -> None:
        lost_before = server.output.count("lost its worker")
        person, agent_id, run_id = begin(server)
        server.child("agent_worker").send_signal(signal.SIGTERM)
        after = person.send(agent_id, "And now?")
        check(person, agent_id, run_id, after)
        assert server.output.count("lost its worker") == lost_before

    def test_a_web_server_that_is_killed_while_a_client_waits(self, server: Server) -> None:
        person = Person(server)
        agent_id = person.new_agent()
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(person.ask, f"/v1/agents/{agent_id}/messages", _messages("I like tea"))
            person.until(lambda: person.ask(f"/v1/runs/?agent_id={agent_id}")[0]["status"] == "running")
            [run] = person.ask(f"/v1/runs/?agent_id={agent_id}")
            server.child("webserver").kill()
            with pytest.raises((OSError, HTTPException)):
                waiting.result(20)
        person.until(lambda: person.ask("/v1/health/"))
        check(person, agent_id, run["id"], person.send(agent_id, "And now?"))

    def test_a_database_that_is_killed(self, server: Server) -> None:
        person, agent_id, run_id = begin(server)
        server.child("bin/postgres").kill()
        server.wait_for("The database is back")
        after: list[str] = []
        person.until(lambda: after.append(person.send(agent_id, "And now?")) or after)
        check(person, agent_id, run_id, *after)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_next_server_goes_on_where_the_last_one_ended(home: Path, script: str, how: int) -> None:
    with Server(home, SCRIPTED_BASE_URL=script) as server:
        person, agent_id, run_id = begin(server)
        after = person.send(agent_id, "And now?")
        server.stop(how)
        assert server.left() == []
    with Server(home, SCRIPTED_BASE_URL=script) as again:
        check(Person(again), agent_id, run_id, after)
