"""The closed union of events. A payload holds ids and small facts; whoever wants more reads the row that the id names."""

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, get_args


@dataclass(frozen=True, slots=True)
class AgentCreated:
    type: ClassVar = "agent.created"


@dataclass(frozen=True, slots=True)
class AgentChanged:
    """``fields``: the names of the agent's fields that changed, "tools" and "archives" among them; "forks" when one was deleted."""

    type: ClassVar = "agent.changed"
    fields: list[str]


@dataclass(frozen=True, slots=True)
class AgentForked:
    """A copy of this agent was made as it was before its step ``step_number``, or as it is without one."""

    type: ClassVar = "agent.forked"
    fork_id: str
    step_number: int | None


@dataclass(frozen=True, slots=True)
class AgentRewound:
    """The agent went back to just before its step ``step_number``; where it was is the branch."""

    type: ClassVar = "agent.rewound"
    branch_id: str
    step_number: int


@dataclass(frozen=True, slots=True)
class AgentCameBack:
    """The agent came back to the branch ``target_id``; where it was is the branch ``branch_id``."""

    type: ClassVar = "agent.came_back"
    branch_id: str
    target_id: str


@dataclass(frozen=True, slots=True)
class AgentAdopted:
    """The agent took over the state of the fork; where it was is the branch."""

    type: ClassVar = "agent.adopted"
    branch_id: str
    fork_id: str


@dataclass(frozen=True, slots=True)
class RunCreated:
    type: ClassVar = "run.created"


@dataclass(frozen=True, slots=True)
class RunStarted:
    """``attempt`` above 1: another worker had it before and died."""

    type: ClassVar = "run.started"
    attempt: int


@dataclass(frozen=True, slots=True)
class RunCancelRequested:
    type: ClassVar = "run.cancel_requested"


@dataclass(frozen=True, slots=True)
class RunEnded:
    type: ClassVar = "run.ended"
    status: str
    stop_reason: str


@dataclass(frozen=True, slots=True)
class RunPaused:
    """The run stands at a breakpoint. ``stage``: where in its step, as ``models.PauseStage`` has it; ``text``: why, in words."""

    type: ClassVar = "run.paused"
    pause_id: str
    stage: str
    text: str


@dataclass(frozen=True, slots=True)
class RunResumed:
    """A person let it go on. ``how``: "continue", "over", "into", "out" or "cancel"."""

    type: ClassVar = "run.resumed"
    pause_id: str
    how: str


@dataclass(frozen=True, slots=True)
class RunEdited:
    """A person changed something of a run that stands: the ``kind`` and ``target`` of ``models.Intervention``."""

    type: ClassVar = "run.edited"
    pause_id: str
    kind: str
    target: str


@dataclass(frozen=True, slots=True)
class BreakpointLogged:
    """A logpoint was passed."""

    type: ClassVar = "breakpoint.logged"
    breakpoint_id: str
    text: str


@dataclass(frozen=True, slots=True)
class CallbackSent:
    """The callback URL of a run that has ended was told. ``error`` None: it took it; otherwise it is tried a few times more."""

    type: ClassVar = "run.callback_sent"
    status_code: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class StepStarted:
    type: ClassVar = "step.started"


@dataclass(frozen=True, slots=True)
class StepEnded:
    type: ClassVar = "step.ended"
    number: int
    status: str


@dataclass(frozen=True, slots=True)
class ModelRetrying:
    type: ClassVar = "model.retrying"
    attempt: int
    after_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class MessageCreated:
    type: ClassVar = "message.created"
    message_id: str
    role: str


@dataclass(frozen=True, slots=True)
class MessageDelta:
    """A piece of a message that is being written. ``part``: "text", "reasoning" or "tool_call" (then ``text`` is a piece of the
    JSON arguments; ``call_id`` and ``name`` come with the first piece of each call, numbered by ``index``; ``gated``: the call will wait
    for an answer)."""

    type: ClassVar = "message.delta"
    message_id: str
    part: str
    text: str
    index: int = 0
    call_id: str | None = None
    name: str | None = None
    gated: bool = False


@dataclass(frozen=True, slots=True)
class ToolCalled:
    type: ClassVar = "tool.called"
    call_id: str
    name: str


@dataclass(frozen=True, slots=True)
class ToolReturned:
    type: ClassVar = "tool.returned"
    call_id: str
    name: str
    status: str


@dataclass(frozen=True, slots=True)
class ApprovalRequested:
    """Calls of a message wait for an answer; the run has ended."""

    type: ClassVar = "approval.requested"
    message_id: str
    call_ids: list[str]


@dataclass(frozen=True, slots=True)
class ApprovalAnswered:
    """The calls that waited have their answers. ``abandoned``: by nobody's decision, so that the agent can go on."""

    type: ClassVar = "approval.answered"
    call_ids: list[str]
    abandoned: bool = False


@dataclass(frozen=True, slots=True)
class BlockChanged:
    """A block that this agent holds was attached, detached or given a new version, by anybody. ``change``:
    "attached", "detached", "edited"; "shared" and "unshared" when another agent got it or let it go."""

    type: ClassVar = "block.changed"
    block_id: str
    label: str
    version: int
    author: str
    change: str = "edited"


@dataclass(frozen=True, slots=True)
class ProposalChanged:
    """A sleep-time agent proposes a text for a block under review, or a person has decided. ``status``: "pending" (made or
    extended), "accepted", "declined"."""

    type: ClassVar = "block.proposal"
    proposal_id: str
    block_id: str
    label: str
    status: str


@dataclass(frozen=True, slots=True)
class SleeptimeCalled:
    """The agents that tend this one's memory were called; ``run_ids`` are theirs."""

    type: ClassVar = "sleeptime.called"
    group_id: str
    run_ids: list[str]


@dataclass(frozen=True, slots=True)
class GroupChanged:
    """A group that this agent is in was made, changed or deleted. ``change``: "created", "edited", "deleted"."""

    type: ClassVar = "group.changed"
    group_id: str
    change: str


@dataclass(frozen=True, slots=True)
class GroupTurnChanged:
    """A turn of a group that this agent is in. ``status``: "created", "completed", "failed", "cancelled"."""

    type: ClassVar = "group.turn"
    group_id: str
    turn_id: str
    status: str


@dataclass(frozen=True, slots=True)
class PassageChanged:
    """``change``: "created", "edited", "deleted"."""

    type: ClassVar = "passage.changed"
    passage_id: str
    archive_id: str
    change: str


@dataclass(frozen=True, slots=True)
class ContextCompacted:
    """Messages left the context; the row ``Eviction`` of the summary tells which."""

    type: ClassVar = "context.compacted"
    summary_id: str


AnyEvent = (
    AgentCreated
    | AgentChanged
    | AgentForked
    | AgentRewound
    | AgentCameBack
    | AgentAdopted
    | RunCreated
    | RunStarted
    | RunCancelRequested
    | RunEnded
    | RunPaused
    | RunResumed
    | RunEdited
    | BreakpointLogged
    | CallbackSent
    | StepStarted
    | StepEnded
    | ModelRetrying
    | MessageCreated
    | MessageDelta
    | ToolCalled
    | ToolReturned
    | ApprovalRequested
    | ApprovalAnswered
    | BlockChanged
    | ProposalChanged
    | SleeptimeCalled
    | GroupChanged
    | GroupTurnChanged
    | PassageChanged
    | ContextCompacted
)

_BY_TYPE: dict[str, type[AnyEvent]] = {event.type: event for event in get_args(AnyEvent)}


def event_types() -> list[str]:
    """The types of all events there are, by name."""
    return sorted(_BY_TYPE)


def payload_of(event: AnyEvent) -> dict[str, Any]:
    return asdict(event)


def parse(event_type: str, payload: dict[str, Any]) -> AnyEvent:
    """The event that a row holds. Fields that this version does not know are left out."""
    kind = _BY_TYPE[event_type]
    known = {field.name for field in fields(kind)}
    return kind(**{name: value for name, value in payload.items() if name in known})


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as it stands in an agent's stream."""

    seq: int
    event: AnyEvent
    run_id: str | None
    step_id: str | None
    created_at: datetime
