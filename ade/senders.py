"""Messages between agents: who sent what an agent was told, and for whom a call waits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from agents_core.models import Agent, Message, Run, ToolCall, ToolCallStatus
from agents_core.queue.requests import run_id_from

_ASKING = "send_message_to_agent_and_wait_for_reply"
_ASKING_TAGGED = ("send_message_to_agents_matching_tags", "send_message_to_agents_matching_all_tags")
_MOST = 12


@dataclass(frozen=True, slots=True)
class Sender:
    """The agent that sent a message. ``address`` leads to the step or the turn that sent it, empty when the agent is gone.
    ``step``: the number of that step, where it is known."""

    name: str
    address: str
    step: int | None = None


@dataclass(frozen=True, slots=True)
class Awaited:
    """An agent whose answer is awaited; ``address`` leads to the turn that gives it."""

    name: str
    address: str


def senders(messages: Iterable[Message], runs: Mapping[str, Run]) -> dict[str, Sender]:
    """Who sent those of ``messages`` that an agent sent, by their ids, in at most two queries. ``runs``: of the messages, by id."""
    sent = [message for message in messages if message.sender_id and message.sender_id != message.agent_id]
    if not sent:
        return {}
    names = dict(Agent.objects.filter(id__in={message.sender_id for message in sent}).values_list("id", "name"))
    steps = _sending_steps([run for message in sent if (run := runs.get(message.run_id or ""))])
    return {message.id: _sender(message, names, steps, runs.get(message.run_id or "")) for message in sent}


def _sender(message: Message, names: Mapping[str, str], steps: Mapping[str, int], run: Run | None) -> Sender:
    agent_id = message.sender_id or ""
    if agent_id not in names:
        return Sender(_("an agent that is gone"), "")
    step = steps.get(message.run_id or "")
    if step is not None:
        return Sender(names[agent_id], f"/agents/{agent_id}/steps/{step}", step)
    metadata = run.metadata if run else {}
    turn = metadata.get("sent_by_run_id") or metadata.get("of_run_id")
    return Sender(names[agent_id], f"/agents/{agent_id}{f'#turn-{turn}' if turn else ''}")


def _sending_steps(runs: Iterable[Run]) -> dict[str, int]:
    """The numbers of the steps whose calls made the runs, by the runs' ids, which follow from the calls."""
    made_by = {run.id: run for run in runs if run.metadata.get("sent_by_run_id")}
    if not made_by:
        return {}
    origins = {run.metadata["sent_by_run_id"] for run in made_by.values()}
    calls = ToolCall.objects.filter(step__run__in=origins, name__startswith="send_message_to_agent")
    rows = calls.values_list("step_id", "call_id", "step__number")
    receivers = {run.agent_id for run in made_by.values()}
    return {
        run_id: number
        for step_id, call_id, number in rows
        for agent_id in receivers
        if (run_id := run_id_from(step_id, call_id, agent_id)) in made_by
    }


def awaited(call: ToolCall) -> list[Awaited]:
    """For whom a call that was begun waits; nobody for one that does not wait for agents."""
    if call.status != ToolCallStatus.INTENDED:
        return []
    if call.name == _ASKING:
        agents = Agent.objects.filter(id=_text(call.arguments.get("other_agent_id")))
    elif call.name in _ASKING_TAGGED:
        every = _texts(call.arguments.get("match_all")) + _texts(call.arguments.get("tags"))
        some = _texts(call.arguments.get("match_some"))
        if not every and not some:
            return []
        agents = Agent.tagged(every, some, but=call.agent_id)
    else:
        return []
    return [_awaited(call, *facts) for facts in agents.values_list("id", "name")[:_MOST]]


def _awaited(call: ToolCall, agent_id: str, name: str) -> Awaited:
    return Awaited(name, f"/agents/{agent_id}#turn-{run_id_from(call.step_id, call.call_id, agent_id)}")


def _text(value: Any) -> str:
    return value.replace("\x00", "") if isinstance(value, str) else ""


def _texts(value: Any) -> list[str]:
    return [_text(each) for each in value if isinstance(each, str)] if isinstance(value, list) else []
