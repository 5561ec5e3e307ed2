"""What a worker does beside runs survives its death too: callbacks are delivered, scheduled messages are sent once."""

import json
import signal
import time
from pathlib import Path

import pytest

from tests.api.receiver import Receiver
from tests.e2e.homes import filled
from tests.e2e.serving import Server
from tests.e2e.test_crash import Person

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled(tmp_path_factory.mktemp("chores") / "home")


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("script") / "script.json"
    file.write_text(json.dumps(["Yes."] * 9))
    return file.as_uri()


def test_a_callback_whose_worker_is_killed_is_delivered_by_another(home: Path, script: str) -> None:
    with Server(home, SCRIPTED_BASE_URL=script) as server, Receiver(delay_s=1.5) as receiver:
        person = Person(server)
        agent_id = person.new_agent()
        body = {"messages": [{"role": "user", "content": "Hi"}], "callback_url": receiver.url}
        run_id = person.ask(f"/v1/agents/{agent_id}/messages/async", body)["id"]
        person.until(lambda: receiver.received)
        server.child("agent_worker").kill()
        person.until(lambda: person.run(run_id)["callback_status_code"] == 200)
        assert {told.headers["webhook-id"] for told in receiver.received} == {run_id}
        assert len(receiver.received) == 2, "the first was lost with its worker"
        assert server.stop() == 0


def test_a_message_whose_time_came_while_the_server_was_away_is_sent_once(home: Path, script: str) -> None:
    with Server(home, SCRIPTED_BASE_URL=script) as server:
        person = Person(server)
        agent_id = person.new_agent()
        schedule = {"type": "one-time", "scheduled_at": (time.time() + 2) * 1000}
        person.ask(
            f"/v1/agents/{agent_id}/schedule", {"messages": [{"role": "user", "content": "Now"}], "schedule": schedule}
        )
        server.stop(signal.SIGKILL)
        assert server.left() == []
    time.sleep(2)
    with Server(home, SCRIPTED_BASE_URL=script) as again:
        person = Person(again)
        person.until(lambda: person.history(agent_id, "assistant_message") == ["Yes."])
        time.sleep(2)
        assert person.history(agent_id, "user_message") == ["Now"]
        assert len(person.ask(f"/v1/runs/?agent_id={agent_id}")) == 1
        again.stop()
