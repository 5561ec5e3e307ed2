"""Turns of an agent and their steps, as the trace shows them: read in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from json import dumps
from typing import ClassVar

from django.db.models import Count
from django.utils.translation import gettext as _

from ade.panels.context import can_travel
from ade.returns import Found, found_by, is_long, searches_of
from ade.said import SPEAKING_TOOL, argument_text, note_text, reasoning_of, text_of
from ade.senders import Awaited, Sender, awaited, senders
from ade.standing import Mend, Standing, mend, standing
from agents_core.models import (
    BlockVersion,
    Event,
    Eviction,
    Intervention,
    Message,
    Pause,
    Role,
    Run,
    Step,
    StepKind,
    StepStatus,
    Tool,
    ToolCall,
    ToolCallStatus,
)
from agents_core.record.diff import Change, diff_words
from agents_core.record.lines import left_steps

SHOWN_STEPS = 60
"""The last steps of a long turn; the earlier ones come when they are scrolled to."""

_AROUND_CHARS = 40


@dataclass(frozen=True, slots=True)
class MemoryChange:
    """A write to a block by a tool call, as words that came and went."""

    version: BlockVersion
    changes: list[Change]


@dataclass(slots=True)
class CallView:
    """A tool call of a step. ``text`` is the call as code; ``spoken`` what it said to the person, for a call that only
    speaks; ``found`` what it found, for a search of memory; ``awaited`` the agents whose answers it waits for."""

    call: ToolCall
    text: str
    spoken: str | None
    memory: list[MemoryChange] = field(default_factory=list)
    found: Found | None = None
    is_client: bool = False
    awaited: list[Awaited] = field(default_factory=list)

    @property
    def arguments_json(self) -> str:
        return dumps(self.call.arguments, ensure_ascii=False, indent=2)

    @property
    def arguments_rows(self) -> int:
        return min(12, self.arguments_json.count("\n") + 1)

    @property
    def is_long(self) -> bool:
        return is_long(self.call.result or "")


@dataclass(slots=True)
class StepView:
    """A step with all that it did. ``streaming``: the message is still being written, so ``said`` and ``reasoning``
    are what came so far. ``left``: it is on a branch that the agent has left."""

    step: Step
    reasoning: str = ""
    said: str = ""
    calls: list[CallView] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    eviction: Eviction | None = None
    streaming: bool = False
    stands: Standing | None = None
    mends: list[Mend] = field(default_factory=list)
    left: bool = False

    @property
    def can_travel(self) -> bool:
        return can_travel(self.step)

    @property
    def fork_url(self) -> str:
        return f"/agents/{self.step.agent_id}/steps/{self.step.number}/fork"

    @property
    def fork_title(self) -> str:
        return _("Fork at step {number}").format(number=self.step.number)

    @property
    def rewind_url(self) -> str:
        return f"/agents/{self.step.agent_id}/steps/{self.step.number}/rewind"

    @property
    def rewind_title(self) -> str:
        return _("Rewind to before step {number}").format(number=self.step.number)

    @property
    def dom_id(self) -> str:
        return f"trace-{self.step.id}"

    @property
    def waiting(self) -> list[CallView]:
        return [view for view in self.calls if view.call.awaits]

    @property
    def ends_in_memory(self) -> bool:
        """Whether its last line is a write to memory, which has room for the figures of the step."""
        last = self.calls[-1] if self.calls else None
        written = last is not None and bool(last.memory) and last.call.status == ToolCallStatus.OK
        return written and not (self.notes or self.step.error)


@dataclass(frozen=True, slots=True)
class InputView:
    """Something that was said to the agent; ``sender`` None: by a person or a program."""

    message: Message
    sender: Sender | None


@dataclass(slots=True)
class TurnView:
    """A run: what was said to the agent, and its steps."""

    template: ClassVar[str] = "ade/partials/_turn.html"

    run: Run
    inputs: list[InputView]
    steps: list[StepView]
    earlier: int = 0
    """How many steps of it are left out before these."""

    @property
    def seq(self) -> int:
        return self.run.first_seq

    @property
    def dom_id(self) -> str:
        return f"turn-{self.run.id}"


# --- reading ---
def turns(runs: Sequence[Run]) -> list[TurnView]:
    """The turns of ``runs``, in their order, in a fixed number of queries."""
    if not runs:
        return []
    views: dict[str, list[StepView]] = defaultdict(list)
    taken = steps_taken(runs)
    long = {run.id for run in runs if taken.get(run.id, 0) > SHOWN_STEPS}
    steps = list(Step.objects.filter(run__in=[run for run in runs if run.id not in long]))
    steps += [step for run_id in long for step in last_steps(run_id)]
    for view in step_views(sorted(steps, key=lambda step: step.number)):
        views[view.step.run_id].append(view)
    said = Message.objects.filter(run__in=runs, step=None).exclude(role__in=(Role.TOOL, Role.APPROVAL)).order_by("seq")
    sent_by = senders(said, {run.id: run for run in runs})
    inputs: dict[str, list[InputView]] = defaultdict(list)
    for message in said:
        inputs[message.run_id or ""].append(InputView(message, sent_by.get(message.id)))
    return [TurnView(run, inputs[run.id], views[run.id], taken.get(run.id, 0) - len(views[run.id])) for run in runs]


def steps_taken(runs: Iterable[Run]) -> dict[str, int]:
    """How many steps each run took, by its id; runs without any are left out."""
    return dict(Step.objects.filter(run__in=list(runs)).order_by().values_list("run").annotate(Count("id")))


def last_steps(run_id: str, before: int | None = None) -> list[Step]:
    """The last ``SHOWN_STEPS`` of a run, or of those before the step of that number, the newest first."""
    steps = Step.objects.filter(run=run_id).order_by("-number")
    return list((steps.filter(number__lt=before) if before else steps)[:SHOWN_STEPS])


def step_views(steps: Sequence[Step]) -> list[StepView]:
    """The views of ``steps``, in their order, in a fixed number of queries."""
    if not steps:
        return []
    views = {step.id: StepView(step) for step in steps}
    _add_messages(views)
    _add_calls(views)
    for step in left_steps(steps):
        views[step.id].left = True
    if summaries := [step.id for step in steps if step.kind == StepKind.SUMMARY]:
        for eviction in Eviction.objects.filter(step__in=summaries):
            views[eviction.step_id or ""].eviction = eviction
    _add_pauses(views)
    pending = [
        view for view in views.values() if view.step.status == StepStatus.PENDING and not view.said and not view.calls
    ]
    if pending:
        _add_deltas(pending)
    return list(views.values())


def _add_pauses(views: Mapping[str, StepView]) -> None:
    """Where a run stands, and what people changed while one stood."""
    pauses = list(Pause.objects.filter(step__in=views).select_related("run"))
    for pause in pauses:
        if pause.resolved_at is None:
            views[pause.step_id].stands = standing(pause)
    if pauses:
        for made in Intervention.objects.filter(step__in=views):
            views[made.step_id].mends.append(mend(made))


def _add_messages(views: Mapping[str, StepView]) -> None:
    for message in Message.objects.filter(step__in=views).order_by("seq"):
        view = views[message.step_id or ""]
        match message.role:
            case Role.ASSISTANT:
                view.said = text_of(message.content)
                view.reasoning = reasoning_of(message.content)
            case Role.USER:
                view.notes.append(note_text(text_of(message.content)))


def _add_calls(views: Mapping[str, StepView]) -> None:
    calls = list(ToolCall.objects.filter(step__in=views).order_by("position"))
    if not calls:
        return
    of_steps = {call.step_id for call in calls}
    written: dict[tuple[str, str], list[MemoryChange]] = defaultdict(list)
    for change in memory_changes(BlockVersion.objects.filter(step__in=of_steps)):
        written[change.version.step_id or "", change.version.tool_call_id or ""].append(change)
    searches = searches_of(of_steps)
    for call in calls:
        spoken = str(call.arguments.get("message", "")) if call.name == SPEAKING_TOOL and call.status == "ok" else None
        key = (call.step_id, call.call_id)
        client = call.awaits and call.name not in _own_tools(call.agent_id)
        view = CallView(
            call, call_text(call), spoken, written[key], found_by(call, searches.get(key)), client, awaited(call)
        )
        views[call.step_id].calls.append(view)


def _own_tools(agent_id: str) -> set[str]:
    return set(Tool.objects.filter(agent_links__agent=agent_id).values_list("name", flat=True))


def memory_changes(versions: Iterable[BlockVersion]) -> list[MemoryChange]:
    """What each of ``versions`` changed in its block."""
    found = list(versions)
    before = {version.version - 1 for version in found}
    olds = BlockVersion.objects.filter(block__in={v.block_id for v in found}, version__in=before) if found else []
    values = {(old.block_id, old.version): old.value for old in olds}
    return [
        MemoryChange(
            version,
            diff_words(values.get((version.block_id, version.version - 1), ""), version.value, around=_AROUND_CHARS),
        )
        for version in found
    ]


def call_text(call: ToolCall) -> str:
    """The arguments of a call as Python would write them."""
    return argument_text(call.arguments)


def _add_deltas(views: Sequence[StepView]) -> None:
    """What came so far of the messages that are being written."""
    by_id = {view.step.id: view for view in views}
    for event in Event.objects.filter(
        agent_id=views[0].step.agent_id, type="message.delta", step_id__in=by_id
    ).order_by("seq"):
        view = by_id[event.step_id or ""]
        view.streaming = True
        match event.payload["part"]:
            case "text":
                view.said += event.payload["text"]
            case "reasoning":
                view.reasoning += event.payload["text"]
