"""The page of an agent's sleep-time agents: who they are, when they are called, what they did."""

import pytest
from django.test import Client
from django.utils.html import strip_tags

from agents_core.actions import agents, sleeptime
from agents_core.actions.new_agent import NewAgent
from agents_core.models import Agent, Group, Run
from tests.ade.tended import companion_of, make_tended, replacing, speak, tend

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agent(builtin_tools: None) -> Agent:
    return make_tended()


@pytest.fixture
def client() -> Client:
    return Client(headers={"HX-Request": "true"})


def panel(client: Client, agent: Agent, slug: str = "sleeptime") -> str:
    return client.get(f"/agents/{agent.id}/panels/{slug}").content.decode()


def group(agent: Agent) -> Group:
    return Group.objects.get(manager=agent)


def test_an_agent_and_its_companion_lead_to_each_other(client: Client, agent: Agent) -> None:
    companion = companion_of(agent)
    for slug in ("outline", "sleeptime"):
        assert f"/agents/{companion.id}" in panel(client, agent, slug)
        assert f"/agents/{agent.id}" in panel(client, companion, slug)


@pytest.mark.parametrize(
    ("every", "counted", "said"),
    [(None, -1, "in 1 turn"), (5, -1, "in 1 turn"), (5, 0, "in 5 turns"), (5, 3, "in 2 turns"), (2, 4, "in 2 turns")],
)
def test_it_says_when_they_are_called_next(
    client: Client, agent: Agent, every: int | None, counted: int, said: str
) -> None:
    Group.objects.update(sleeptime_agent_frequency=every, turns_counter=counted)
    for slug in ("outline", "sleeptime"):
        assert f"{said}<" in panel(client, agent, slug)


def test_it_counts_down_as_the_runtime_does(client: Client, agent: Agent) -> None:
    Group.objects.update(sleeptime_agent_frequency=3)
    said = []
    for _ in range(4):
        words = strip_tags(panel(client, agent, "outline"))
        said.append((words.partition("in ")[2][:1], Run.objects.filter(agent=companion_of(agent)).count()))
        speak(agent)
    assert said == [("1", 0), ("3", 1), ("2", 1), ("1", 1)]
    assert Run.objects.filter(agent=companion_of(agent)).count() == 2


def test_frequency_and_idle_time_are_set_and_it_is_switched_off(client: Client, agent: Agent) -> None:
    answer = client.post(f"/agents/{agent.id}/sleeptime", {"enabled": "1", "frequency": "7", "idle_s": "600"})
    assert answer.status_code == 200
    assert (group(agent).sleeptime_agent_frequency, group(agent).sleeptime_idle_s) == (7, 600)
    client.post(f"/agents/{agent.id}/sleeptime", {"frequency": "7", "idle_s": ""})
    assert group(agent).sleeptime_idle_s is None
    assert not Agent.objects.get(id=agent.id).enable_sleeptime
    assert "switched off" in panel(client, agent)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"frequency": "0"},
        {"frequency": "-1"},
        {"frequency": "ten"},
        {"frequency": "1.5"},
        {"frequency": "9" * 4000},
        {"frequency": "\x00"},
        {"frequency": "5", "idle_s": "0"},
        {"frequency": "5", "idle_s": "☃"},
        {"frequency": "5", "idle_s": "9" * 30},
    ],
)
def test_what_cannot_be_is_told_and_changes_nothing(client: Client, agent: Agent, given: dict[str, str]) -> None:
    answer = client.post(f"/agents/{agent.id}/sleeptime", {"enabled": "1", **given})
    assert answer.status_code == 422
    assert 'class="errors"' in answer.content.decode()
    assert (group(agent).sleeptime_agent_frequency, group(agent).sleeptime_idle_s) == (None, None)


def test_the_runs_are_told_with_what_they_wrote(client: Client, agent: Agent) -> None:
    companion = companion_of(agent)
    speak(agent)
    listed = client.get(f"/agents/{agent.id}/sleeptime/runs").content.decode()
    assert "queued" in listed
    assert f"/agents/{agent.id}#turn-{Run.objects.get(agent=agent).id}" in listed
    tend(agent, replacing("Kiel", "Bremen"))
    for whose in (agent, companion):
        listed = client.get(f"/agents/{whose.id}/sleeptime/runs").content.decode()
        assert f"/agents/{companion.id}/steps/1" in listed
        assert '<td class="end num">1</td>' in listed


def test_runs_of_other_agents_are_not_told(client: Client, agent: Agent) -> None:
    speak(agent)
    other = make_tended("Other")
    assert "None yet" in client.get(f"/agents/{other.id}/sleeptime/runs").content.decode()


def test_an_agent_without_a_companion_gets_one(client: Client, builtin_tools: None) -> None:
    alone = agents.create(NewAgent(name="Alone", model="offline/rules"))
    assert "sleeptime/enable" in panel(client, alone)
    assert client.post(f"/agents/{alone.id}/sleeptime", {"frequency": "5"}).status_code == 422
    assert "Alone-sleeptime" in client.post(f"/agents/{alone.id}/sleeptime/enable").content.decode()
    assert len(sleeptime.companions(alone.id)) == 1


@pytest.mark.parametrize("path", ["sleeptime", "sleeptime/enable"])
def test_an_agent_that_does_not_exist_is_not_found(client: Client, builtin_tools: None, path: str) -> None:
    for agent_id in ("agent-none", "☃", "x" * 3000, "a%00b"):
        assert client.post(f"/agents/{agent_id}/{path}").status_code == 404
    assert client.get("/agents/agent-none/sleeptime/runs").status_code == 404


def test_a_new_agent_is_made_with_one(client: Client, builtin_tools: None) -> None:
    client.post("/agents/new", {"template": "companion", "name": "Ada", "model": "offline/rules", "sleeptime": "1"})
    client.post("/agents/new", {"template": "companion", "name": "Bea", "model": "offline/rules", "sleeptime": "☃"})
    made = {agent.name: sleeptime.companions(agent.id) for agent in Agent.objects.all()}
    assert {name: len(companions) for name, companions in made.items()} == {"Ada": 1, "Ada-sleeptime": 0, "Bea": 0}
