"""What an agent was just before the model call of a step, and what it is now: ids and versions, from which it can be made again."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from agents_core.errors import NotFound, Refused
from agents_core.models import (
    WAITING,
    Agent,
    AgentArchive,
    AgentBlock,
    AgentTool,
    BlockVersion,
    Message,
    Role,
    SegmentKind,
    Step,
    StepKind,
)
from agents_core.record.steps import SYSTEM_KINDS, SegmentView, segments_of
from agents_core.record.worlds import SETTINGS, World

_MESSAGE_KINDS = {SegmentKind.MESSAGE, SegmentKind.TOOL_RETURN, SegmentKind.SUMMARY}


@dataclass(frozen=True, slots=True)
class AgentState:
    """``seq``: the last event of the agent's stream that counts; messages say what they said then. ``messages``: the ids of the thread's
    context in order, without the system message, whose parts are ``system``: empty when it has to be compiled.

    ``guessed``: settings, tools and archives are those of today, because the step was recorded before they were.
    """

    agent_id: str
    conversation_id: str | None
    seq: int
    step_number: int | None
    world: World
    messages: Sequence[str]
    system: Sequence[Mapping[str, Any]]
    guessed: bool = False

    def stored(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "AgentState":
        world = stored["world"]
        held = {name: [tuple(each) for each in world[name]] for name in ("blocks", "tools", "archives")}
        return cls(**{**stored, "world": World(world["settings"], **held)})


def state_at(agent_id: str, step_number: int) -> AgentState:
    """The agent just before the model call of its step, the messages that it was to answer among those of its context.

    Raises ``NotFound`` without the step, ``Refused`` for one that sent no request of the agent's own.
    """
    step = Step.objects.select_related("world", "run").filter(agent=agent_id, number=step_number).first()
    if step is None or step.seq is None:
        raise NotFound(f"The agent has no step {step_number}.")
    if step.kind == StepKind.SUMMARY:
        raise Refused(f"Step {step_number} wrote a summary for the step beside it: choose that one.")
    if not step.segments:
        raise Refused(f"Step {step_number} sent no request to a model: choose the step before or after it.")
    segments = segments_of(step)
    overridden = bool(step.run.request.get("override_system"))
    return AgentState(
        agent_id=agent_id,
        conversation_id=step.conversation_id,
        seq=step.seq,
        step_number=step_number,
        world=World.read(bytes(step.world.content)) if step.world else _guessed(step, segments),
        messages=list(dict.fromkeys(s.source_id for s in segments if s.kind in _MESSAGE_KINDS and s.source_id)),
        system=[] if overridden else [_part(s) for s in segments if s.kind in SYSTEM_KINDS],
        guessed=step.world is None,
    )


def state_now(agent_id: str, conversation_id: str | None = None) -> AgentState:
    """The agent as it stands, in a thread; messages that no run has answered yet are left out. Raises ``NotFound``."""
    agent = Agent.objects.filter(pk=agent_id).first()
    if agent is None:
        raise NotFound("Agent not found")
    thread = Message.objects.filter(agent=agent, conversation=conversation_id, context_position__gt=WAITING)
    messages = list(thread.order_by("context_position", "seq").values_list("id", "role"))
    first = messages.pop(0)[0] if messages and messages[0][1] == Role.SYSTEM else None
    system = Message.objects.values_list("content", flat=True).get(pk=first) if first else []
    return AgentState(
        agent_id=agent_id,
        conversation_id=conversation_id,
        seq=agent.event_seq,
        step_number=None,
        world=_world(agent),
        messages=[message_id for message_id, _ in messages],
        system=system,
    )


def _world(agent: Agent) -> World:
    blocks = AgentBlock.objects.filter(agent=agent).values_list("block", "label", "block__version")
    tools = AgentTool.objects.filter(agent=agent).values_list("tool", "tool__name")
    archives = AgentArchive.objects.filter(agent=agent).values_list("archive", "archive__revision")
    return World({name: getattr(agent, name) for name in SETTINGS}, list(blocks), list(tools), list(archives))


def _part(segment: SegmentView) -> dict[str, Any]:
    names = ("kind", "source_id", "label", "text")
    return {"type": "text", **{name: getattr(segment, name) for name in names}}


def _guessed(step: Step, segments: Sequence[SegmentView]) -> World:
    """For a step whose world was not recorded: its blocks as the request shows them, all else as it is now."""
    now = _world(Agent.objects.get(pk=step.agent_id))
    blocks = []
    for block_id in dict.fromkeys(s.source_id for s in segments if s.kind == SegmentKind.CORE):
        then = BlockVersion.objects.filter(block=block_id, created_at__lte=step.started_at).order_by("-version").first()
        if then is not None:
            blocks.append((block_id, then.label, then.version))
    return World(now.settings, blocks, now.tools, now.archives)


def places(message_ids: Sequence[str]) -> list[tuple[str, int]]:
    """Each of these messages that is still there with its place in a context, from 1; those that one run was to answer together share
    theirs, so that no compaction parts them."""
    rows = Message.objects.filter(id__in=message_ids).values_list("id", "run", "step", "role")
    found = {message_id: about for message_id, *about in rows}
    placed: list[tuple[str, int]] = []
    before: str | None = None
    for message_id in (each for each in message_ids if each in found):
        run_id, step_id, role = found[message_id]
        asked = run_id if not step_id and role in (Role.USER, Role.SYSTEM) else None
        place = placed[-1][1] if placed else 0
        placed.append((message_id, place if asked is not None and asked == before else place + 1))
        before = asked
    return placed
