"""The simulator: turns and their steps as they happen, and the box to speak to the agent."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from json import dumps, loads
from typing import Any

from django.db.models import Count, Q, QuerySet

from ade.address import query, step_number, thread
from ade.fragments import Fragment
from ade.panels.base import Panel
from ade.panels.branches import MOVES
from ade.panels.context import can_travel
from ade.returns import Found, found_by, is_long, searches_of
from ade.senders import Awaited, Sender, awaited, senders
from ade.standing import QUICK, Mend, Standing, mend, plain, standing_at
from agents_core.events.types import AgentChanged, BlockChanged, RunEnded, StoredEvent
from agents_core.models import (
    Block,
    BlockVersion,
    Breakpoint,
    Conversation,
    Event,
    Eviction,
    Fork,
    Intervention,
    Message,
    Role,
    Run,
    Step,
    StepStatus,
    Tool,
    ToolCall,
    ToolCallStatus,
)
from agents_core.record.diff import Change, diff_words
from agents_core.record.lines import left_steps

PAGE = 20
"""Turns of a page at most."""
PAGE_STEPS = 20
"""A page ends with the turn that reaches so many steps."""
SHOWN_STEPS = 60
"""The last steps of a long turn; the earlier ones come when they are scrolled to."""

_AROUND_CHARS = 40
_SPEAKING_TOOL = "send_message"


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
        return f"Fork at step {self.step.number}"

    @property
    def rewind_url(self) -> str:
        return f"/agents/{self.step.agent_id}/steps/{self.step.number}/rewind"

    @property
    def rewind_title(self) -> str:
        return f"Rewind to before step {self.step.number}"

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
        return written and not (self.said or self.notes or self.step.error)


@dataclass(frozen=True, slots=True)
class InputView:
    """Something that was said to the agent; ``sender`` None: by a person or a program."""

    message: Message
    sender: Sender | None


@dataclass(slots=True)
class TurnView:
    """A run: what was said to the agent, and its steps."""

    run: Run
    inputs: list[InputView]
    steps: list[StepView]
    earlier: int = 0
    """How many steps of it are left out before these."""

    @property
    def dom_id(self) -> str:
        return f"turn-{self.run.id}"


class TracePanel(Panel):
    """``params``: ``conversation`` narrows it to one; ``before`` is the run before which a page begins."""

    slug = "trace"
    title = "Simulator"

    def context(self) -> dict[str, Any]:
        runs, has_more = self._page()
        return {
            **self.place(),
            "conversation": Conversation.objects.filter(agent=self.agent, id=thread(self.params)).first(),
            "origin": Fork.objects.filter(agent=self.agent).select_related("parent").first(),
            "turns": turns(runs[::-1]),
            "earlier": runs[-1].id if has_more else None,
        }

    def earlier_steps(self) -> dict[str, Any]:
        """Steps of the run ``params["run"]`` before the step ``params["step"]``, and how many are left before them."""
        run_id, number = self.params.get("run", ""), step_number(self.params.get("step", ""), "step")
        steps = last_steps(run_id, number)[::-1] if self._runs().filter(id=run_id).exists() else []
        first = steps[0].number if steps else 0
        left = Step.objects.filter(run=run_id, number__lt=first).count()
        return {"steps": step_views(steps), "run_id": run_id, "number": first, "count": left}

    def place(self) -> dict[str, Any]:
        """What the partials need to stay in the conversation, and to show where runs stop."""
        shown = plain(Breakpoint.objects.filter(agent=self.agent, enabled=True))
        return {
            "thread": thread(self.params),
            "params": query(self.params, ("conversation",)),
            "stops": {f"{kind} {target}".strip() for kind, target in shown},
            "quick": QUICK,
        }

    def _runs(self) -> "QuerySet[Run]":
        runs = Run.objects.filter(agent=self.agent)
        return runs.filter(conversation=thread(self.params)) if thread(self.params) else runs

    def _page(self) -> tuple[list[Run], bool]:
        """The newest runs first, those before the run that ``params["before"]`` names, and whether there are earlier ones."""
        runs = self._runs().order_by("-first_seq")
        if before := self.params.get("before"):
            runs = runs.filter(first_seq__lt=Run.objects.filter(agent=self.agent, id=before).values("first_seq")[:1])
        found = list(runs[: PAGE + 1])
        taken = _steps_taken(found)
        steps = list(accumulate(taken.get(run.id, 0) for run in found))
        size = min(PAGE, bisect_left(steps, PAGE_STEPS) + 1)
        return found[:size], len(found) > size

    def fragments(self, events: Sequence[StoredEvent]) -> list[Fragment]:
        """A whole turn when the run itself changed, else only its steps that did; all after a block was deleted."""
        moved = _moved(events) or _moved_breakpoints(events) or _lost_block(events)
        if moved or (thread(self.params) and _other_conversations(events)):
            return [self.whole()]
        # A run ends with its last step, in one commit: the event names both.
        runs = {event.run_id for event in events if event.run_id and (not event.step_id or _is_of_run(event))}
        steps = {event.step_id for event in events if event.step_id}
        found: list[Fragment] = []
        if any(isinstance(event.event, AgentChanged) for event in events):
            found.append(Fragment("composer", "ade/partials/_composer.html", {"agent": self.agent, **self.place()}))
        whole = self._runs().filter(id__in=runs).order_by("first_seq")
        # The step may be another run's: an answer is carried out beside the call that waited for it.
        shown = Q(id__in=steps)
        # A run that was to answer calls may have left them waiting.
        if any(isinstance(event.event, RunEnded) for event in events):
            shown |= Q(id__in=ToolCall.objects.filter(agent=self.agent, status=ToolCallStatus.AWAITING).values("step"))
        alone = Step.objects.filter(shown, run__in=self._runs()).exclude(run__in=runs).order_by("number")
        if whole or alone:
            found.append(Fragment("trace-empty", swap="remove"))
        found += [_turn_fragment(turn, self) for turn in turns(list(whole))]
        return [*found, *(_step_fragment(view, self) for view in step_views(list(alone)))]


def _is_of_run(event: StoredEvent) -> bool:
    return event.event.type.startswith("run.")


def _moved(events: Sequence[StoredEvent]) -> bool:
    """Whether the agent has left a branch: steps anywhere may be on another one now."""
    return any(event.event.type in MOVES for event in events)


def _lost_block(events: Sequence[StoredEvent]) -> bool:
    """Whether a block is gone, and its versions with it, which the steps that wrote them show."""
    gone = {
        event.event.block_id
        for event in events
        if isinstance(event.event, BlockChanged) and event.event.change == "detached"
    }
    return bool(gone) and Block.objects.filter(id__in=gone).count() < len(gone)


def _moved_breakpoints(events: Sequence[StoredEvent]) -> bool:
    return any(isinstance(event.event, AgentChanged) and "breakpoints" in event.event.fields for event in events)


def _other_conversations(events: Sequence[StoredEvent]) -> bool:
    return any(isinstance(event.event, AgentChanged) and "conversations" in event.event.fields for event in events)


def _turn_fragment(turn: TurnView, panel: TracePanel) -> Fragment:
    context = {"turn": turn, "agent": panel.agent, **panel.place()}
    return Fragment(turn.dom_id, "ade/partials/_turn.html", context, swap="append", target="trace")


def _step_fragment(view: StepView, panel: TracePanel) -> Fragment:
    context = {"view": view, "agent": panel.agent, **panel.place()}
    return Fragment(view.dom_id, "ade/partials/_step.html", context, swap="append", target=f"steps-{view.step.run_id}")


# --- reading -------------------------------------------------------------------------------------------------------


def turns(runs: Sequence[Run]) -> list[TurnView]:
    """The turns of ``runs``, in their order, in a fixed number of queries."""
    views: dict[str, list[StepView]] = defaultdict(list)
    taken = _steps_taken(runs)
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


def _steps_taken(runs: Iterable[Run]) -> dict[str, int]:
    """How many steps each run took, by its id; runs without any are left out."""
    return dict(Step.objects.filter(run__in=list(runs)).order_by().values_list("run").annotate(Count("id")))


def last_steps(run_id: str, before: int | None = None) -> list[Step]:
    """The last ``SHOWN_STEPS`` of a run, or of those before the step of that number, the newest first."""
    steps = Step.objects.filter(run=run_id).order_by("-number")
    return list((steps.filter(number__lt=before) if before else steps)[:SHOWN_STEPS])


def step_views(steps: Sequence[Step]) -> list[StepView]:
    """The views of ``steps``, in their order, in a fixed number of queries."""
    views = {step.id: StepView(step) for step in steps}
    _add_messages(views)
    _add_calls(views)
    for step in left_steps(steps):
        views[step.id].left = True
    for eviction in Eviction.objects.filter(step__in=views).select_related("summary"):
        views[eviction.step_id or ""].eviction = eviction
    for step_id, stands in standing_at(views).items():
        views[step_id].stands = stands
    for made in Intervention.objects.filter(step__in=views):
        views[made.step_id].mends.append(mend(made))
    pending = [
        view for view in views.values() if view.step.status == StepStatus.PENDING and not view.said and not view.calls
    ]
    if pending:
        _add_deltas(pending)
    return list(views.values())


def _add_messages(views: Mapping[str, StepView]) -> None:
    for message in Message.objects.filter(step__in=views).order_by("seq"):
        view = views[message.step_id or ""]
        match message.role:
            case Role.ASSISTANT:
                view.said = text_of(message.content)
                view.reasoning = "\n".join(
                    part["reasoning"] for part in message.content if part["type"] == "reasoning" and part["reasoning"]
                )
            case Role.USER:
                view.notes.append(_note(text_of(message.content)))


def text_of(content: Iterable[Mapping[str, Any]]) -> str:
    return "".join(part["text"] for part in content if part["type"] == "text")


def _note(text: str) -> str:
    """An automatic message as a person reads it."""
    try:
        packed = loads(text)
    except ValueError:
        return text
    return str(packed.get("reason", text)) if isinstance(packed, dict) else text


def _add_calls(views: Mapping[str, StepView]) -> None:
    written: dict[tuple[str, str], list[MemoryChange]] = defaultdict(list)
    for change in memory_changes(BlockVersion.objects.filter(step__in=views)):
        written[change.version.step_id or "", change.version.tool_call_id or ""].append(change)
    searches = searches_of(views)
    for call in ToolCall.objects.filter(step__in=views).order_by("position"):
        spoken = str(call.arguments.get("message", "")) if call.name == _SPEAKING_TOOL and call.status == "ok" else None
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
    return ", ".join(f"{name}={dumps(value, ensure_ascii=False)}" for name, value in call.arguments.items())


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
