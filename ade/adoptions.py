"""What an agent took over from its forks, as turns of its trace: read from its own messages, so that it outlives the fork."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from json import loads
from typing import Any, ClassVar

from ade.said import SPEAKING_TOOL, argument_text, note_text, reasoning_of, text_of
from ade.senders import senders
from ade.turns import SHOWN_STEPS, InputView
from agents_core.models import Agent, Message, Role
from agents_core.record.adopted import Adoption, Origin, adoptions, origins_of
from agents_core.record.lines import OPEN, current_line, holds

_MOST = 3 * SHOWN_STEPS
"""The last messages of an adoption; the earlier ones stand in the fork and in recall."""


@dataclass(slots=True)
class AdoptedCall:
    """A call of the fork. ``spoken``: what it said to the person, for a call that only speaks."""

    name: str
    text: str
    spoken: str | None = None
    failed: bool = False
    result: str | None = None


@dataclass(slots=True)
class AdoptedStep:
    """What a step of the fork said and called. ``number``: the fork's, None when that is gone or had it from another one."""

    dom_id: str
    number: int | None
    reasoning: str = ""
    said: str = ""
    calls: dict[str, AdoptedCall] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    summary: str = ""


@dataclass(slots=True)
class AdoptedView:
    """A turn that the agent has from a fork. ``fork`` is None when that was deleted; ``left``: it is on a branch left since."""

    template: ClassVar[str] = "ade/partials/_adopted.html"

    adoption: Adoption
    fork: Agent | None
    left: bool
    parts: list[InputView | AdoptedStep]
    earlier: int

    @property
    def seq(self) -> int:
        return self.adoption.seq

    @property
    def created_at(self) -> datetime:
        return self.adoption.created_at

    @property
    def dom_id(self) -> str:
        return f"turn-{self.adoption.branch_id}"

    @property
    def branch_url(self) -> str:
        return f"/agents/{self.adoption.agent_id}?drawer=branches&branch={self.adoption.branch_id}"


def adopted_turns(agent_id: str, conversation: str, first: int = 0, last: int = OPEN) -> list[AdoptedView]:
    """The adoptions between two events, oldest first; of one conversation or, with "", of all."""
    found = [each for each in adoptions(agent_id, first, last) if conversation in ("", each.conversation_id)]
    forks = Agent.objects.in_bulk([each.fork_id for each in found]) if found else {}
    return [_view(each, forks.get(each.fork_id)) for each in found]


def _view(adoption: Adoption, fork: Agent | None) -> AdoptedView:
    messages = adoption.messages()
    shown = list(messages.reverse()[:_MOST])[::-1]
    earlier = messages.count() - _MOST if len(shown) == _MOST else 0
    left = not holds(current_line(adoption.agent_id, adoption.conversation_id), adoption.seq)
    origins = origins_of(adoption.agent_id, [message.id for message in shown])
    return AdoptedView(adoption, fork, left, _parts(shown, origins), earlier)


def _parts(messages: Sequence[Message], origins: Mapping[str, Origin]) -> list[InputView | AdoptedStep]:
    """What was said to the fork, and its steps between: each begins with what the model wrote."""
    parts: list[InputView | AdoptedStep] = []
    sent_by = senders(messages, {})
    step: AdoptedStep | None = None
    for message in messages:
        origin = origins.get(message.id)
        if message.role in (Role.ASSISTANT, Role.SUMMARY) or (step is None and message.role == Role.TOOL):
            step = AdoptedStep(f"adopted-{message.id}", origin.step if origin else None)
            parts.append(step)
        if step is not None and (message.role not in (Role.USER, Role.SYSTEM) or (origin and origin.made)):
            _add(step, message)
        else:
            parts.append(InputView(message, sent_by.get(message.id)))
            step = None
    return parts


def _add(step: AdoptedStep, message: Message) -> None:
    match message.role:
        case Role.ASSISTANT:
            step.said, step.reasoning = text_of(message.content), reasoning_of(message.content)
            step.calls = {call["id"]: _call(call) for call in message.tool_calls}
        case Role.TOOL:
            for answer in message.tool_returns:
                call = step.calls.setdefault(answer["tool_call_id"], AdoptedCall(answer["name"], "…"))
                call.failed = answer["status"] != "success"
                call.result = None if call.spoken and not call.failed else str(answer.get("value", answer["text"]))
        case Role.SUMMARY:
            step.summary = text_of(message.content)
        case _:
            step.notes.append(note_text(text_of(message.content)))


def _call(call: Mapping[str, Any]) -> AdoptedCall:
    try:
        arguments = loads(call["arguments"])
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        return AdoptedCall(call["name"], call["arguments"])
    spoken = str(arguments.get("message", "")) if call["name"] == SPEAKING_TOOL else None
    return AdoptedCall(call["name"], argument_text(arguments), spoken)
