"""The agents with a long past that other tests stand on are recorded as real ones are."""

import pytest

from agents_core.actions import agents
from agents_core.actions.new_agent import NewAgent
from agents_core.actions.tools import ensure_builtin_tools
from agents_core.events.subscribe import read
from agents_core.models import Agent, Block, BlockVersion, Eviction, Step, StepStatus
from agents_core.record.steps import request_bytes
from tests.long_agent import FAILS_EVERY, live_long
from tests.running import finish

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_request_of_a_long_past_joins_to_its_digest_and_every_event_can_be_read() -> None:
    ensure_builtin_tools()
    memory = [{"label": "human", "value": "Her name is Ada."}]
    agent = agents.create(NewAgent(name="long", model="offline/rules", memory_blocks=memory))
    live_long(agent.id, FAILS_EVERY + 7)
    agent = Agent.objects.get(id=agent.id)
    steps = Step.objects.filter(agent=agent)
    assert [step.number for step in steps] == list(range(1, FAILS_EVERY + 8))
    assert all(request_bytes(step).startswith(b'{"model":') for step in steps)
    assert steps.filter(status=StepStatus.FAILED).count() == 1
    assert Eviction.objects.filter(agent=agent).count() > 2
    block = Block.objects.get(agent_links__agent=agent)
    newest = BlockVersion.objects.filter(block=block).order_by("version").last()
    assert newest
    assert (newest.version, newest.value) == (block.version, block.value)
    assert _events(agent.id) == list(range(1, agent.event_seq + 1))


def _events(agent_id: str) -> list[int]:
    seqs: list[int] = []
    while batch := finish(read(agent_id, seqs[-1] if seqs else 0)):
        seqs += [event.seq for event in batch]
    return seqs
