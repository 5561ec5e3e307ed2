"""A comparison as its page shows it: two branches side by side, all of them drawn, their figures, and memory at their ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from ade.branch_graph import Drawn, Graph, graph_of
from ade.divergence import Divergence, first_difference
from ade.fragments import Fragment
from ade.memory_ends import MemoryEnd, end_of, memory_end, recorded_end
from ade.said import text_of
from ade.turns import StepView, step_views
from agents_core.actions import comparisons
from agents_core.actions.comparisons import MOST_BRANCHES, letter
from agents_core.actions.tail import tail_of
from agents_core.models import Agent, Comparison, Message, Role, Run, RunStatus, Step, Variant

RECORDED = "A"


@dataclass(frozen=True, slots=True)
class Row:
    """A step of a branch. ``differs``: it is the first that does; ``said``: what was said to the agent before it."""

    view: StepView
    differs: bool
    said: str


@dataclass(slots=True)
class BranchView:
    """A branch, or the recorded tail (``variant`` None). ``state``: "waiting" before it runs, "queued", "running", "paused", "completed",
    "failed", "cancelled" or "gone"; ``said``: what each of its runs was to answer; ``error``: of the run that failed."""

    letter: str
    label: str
    variant: Variant | None
    state: str
    steps: list[StepView] = field(default_factory=list)
    said: Mapping[str, str] = field(default_factory=dict)
    first_step: int = 0
    divergence: Divergence | None = None
    memory: MemoryEnd | None = None
    error: str = ""

    @property
    def is_live(self) -> bool:
        return self.state in ("queued", "running")

    @property
    def can_become(self) -> bool:
        """Whether the agent can become what the branch is."""
        return self.variant is not None and self.state in ("completed", "failed", "cancelled")

    @property
    def tokens(self) -> int:
        return sum(view.step.prompt_tokens + view.step.completion_tokens for view in self.steps)

    @property
    def cost_usd(self) -> float | None:
        """None where a step's price is not known."""
        costs = [view.step.cost_usd for view in self.steps if view.step.finished_at]
        return None if None in costs or not costs else float(sum(cost for cost in costs if cost is not None))

    @property
    def took_ms(self) -> float:
        return sum((view.step.model_ms or 0) + (view.step.tools_ms or 0) for view in self.steps)

    @property
    def step_of_difference(self) -> int | None:
        return self.first_step + self.divergence.at if self.divergence else None

    @property
    def rows(self) -> list["Row"]:
        at = self.divergence.at if self.divergence else None
        firsts = {view.step.run_id: place for place, view in reversed(list(enumerate(self.steps)))}
        return [
            Row(view, place == at, self.said.get(view.step.run_id, "") if firsts[view.step.run_id] == place else "")
            for place, view in enumerate(self.steps)
        ]


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """``left`` and ``right`` are the letters of the branches side by side."""

    comparison: Comparison
    branches: Sequence[BranchView]
    left: BranchView
    right: BranchView | None
    graph: Graph
    estimate_usd: float | None

    @property
    def is_live(self) -> bool:
        return any(branch.is_live for branch in self.branches)

    @property
    def chosen(self) -> BranchView | None:
        """The branch that is shown: at the right, unless the recorded tail stands there."""
        return next((branch for branch in (self.right, self.left) if branch and branch.variant), None)

    @property
    def can_run(self) -> bool:
        return any(branch.state == "waiting" for branch in self.branches)

    @property
    def can_add(self) -> bool:
        return len(self.branches) <= MOST_BRANCHES

    @property
    def cheapest(self) -> float | None:
        costs = [branch.cost_usd for branch in self.branches if branch.cost_usd is not None]
        return min(costs) if len(costs) > 1 else None


def view_of(comparison: Comparison, params: Mapping[str, str]) -> ComparisonView:
    """``params``: ``left`` and ``right`` are letters; without them the recorded tail, and the first branch beside it."""
    recorded = _recorded(comparison)
    end = recorded_end(comparison)
    variants = list(comparison.variants.all())
    runs = _runs(variants)
    branches = [recorded, *(_branch(variant, recorded, end, runs) for variant in variants)]
    by_letter = {branch.letter: branch for branch in branches}
    left = by_letter.get(params.get("left", ""), recorded)
    others = [branch for branch in branches if branch is not left]
    asked = by_letter.get(params.get("right", ""))
    right = asked if asked and asked is not left else next(iter(others), None)
    drawn = [_drawn(branch, left.letter) for branch in branches]
    estimate = comparisons.estimate_usd(comparison) if any(branch.state == "waiting" for branch in branches) else None
    return ComparisonView(comparison, branches, left, right, graph_of(comparison.from_step, drawn), estimate)


def _recorded(comparison: Comparison) -> BranchView:
    steps = [
        step for step in tail_of(comparison.agent_id, comparison.from_step).steps if step.number <= comparison.to_step
    ]
    said = dict(zip((asked["run_id"] for asked in comparison.inputs), _said(comparison), strict=True))
    return BranchView(RECORDED, _("recorded"), None, "completed", step_views(steps), said)


def _said(comparison: Comparison) -> list[str]:
    """What each of the tail's runs was to answer; the first one's too, where the tail begins with it."""
    first = comparison.inputs[0]["run_id"]
    begins = not Step.objects.filter(run=first, number__lt=comparison.from_step).exists()
    opening = Message.objects.filter(run=first, step=None, role=Role.USER).order_by("seq") if begins else ()
    texts = [[text_of(message["content"]) for message in asked["messages"]] for asked in comparison.inputs]
    return ["\n".join(each) for each in [[text_of(message.content) for message in opening], *texts[1:]]]


def _runs(variants: Sequence[Variant]) -> dict[str, Run]:
    ids = [run_id for variant in variants for run_id in variant.run_ids]
    return {run.id: run for run in Run.objects.filter(id__in=ids)}


def _branch(variant: Variant, recorded: BranchView, end: Mapping[str, str], runs: Mapping[str, Run]) -> BranchView:
    own = [runs[run_id] for run_id in variant.run_ids if run_id in runs]
    state = _state(variant, own)
    steps = step_views(comparisons.steps_of(variant))
    said = dict(zip(variant.run_ids, _said(variant.comparison), strict=False))
    view = BranchView(letter(variant.position), variant.label, variant, state, steps, said, variant.first_step)
    if state in ("waiting", "gone"):
        return view
    view.divergence = first_difference(recorded.steps, view.steps, is_over=not view.is_live)
    view.memory = memory_end(end, end_of(variant.fork_id or "")) if not view.is_live else None
    failed = next((run for run in own if run.status == RunStatus.FAILED), None)
    view.error = str((failed.error or {}).get("message", failed.stop_reason)) if failed else ""
    return view


def _state(variant: Variant, runs: Sequence[Run]) -> str:
    if not variant.run_ids:
        return "waiting"
    if not variant.fork_id:
        return "gone"
    statuses = {run.status for run in runs}
    if statuses == {RunStatus.CREATED}:
        return "queued"
    if RunStatus.PAUSED not in statuses and statuses & {RunStatus.CREATED, RunStatus.RUNNING}:
        return "running"
    ends = (RunStatus.PAUSED, RunStatus.FAILED, RunStatus.CANCELLED)
    return next((str(status) for status in ends if status in statuses), "completed")


def _drawn(branch: BranchView, left: str) -> Drawn:
    differs = branch.divergence.at if branch.divergence else None
    href = f"?left={left}&right={branch.letter}" if branch.letter != left else f"?left={left}"
    return Drawn(
        branch.letter, branch.label, len(branch.steps), differs, branch.is_live or branch.state == "waiting", href
    )


def context_of(agent: Agent, view: ComparisonView) -> dict[str, Any]:
    return {"agent": agent, "comparison": view.comparison, "view": view}


_LIVE = ("head", "left", "right", "graph", "figures", "differences", "memory")


def live_fragments(comparison: Comparison, params: Mapping[str, str]) -> list[Fragment]:
    """All that changes while branches run."""
    view = view_of(comparison, params)
    context = context_of(comparison.agent, view)
    return [Fragment(f"compare-{name}", f"ade/partials/_compare_{name}.html", context) for name in _LIVE]


def fork_ids(comparison_id: str) -> set[str]:
    """The agents that live in its branches."""
    forks = Variant.objects.filter(comparison=comparison_id, fork__isnull=False)
    return set(forks.values_list("fork", flat=True))
