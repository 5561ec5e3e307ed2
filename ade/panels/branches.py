"""The branches of an agent: where it was copied from, its forks, and the times that it left its present to go on from elsewhere."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ade.panels.base import Panel
from agents_core.models import Agent, Branch, Cause, Fork

MOVES = frozenset({"agent.rewound", "agent.came_back", "agent.adopted"})
"""The events after which the agent goes on from another step."""

_DEEPEST = 3
_MOST = 200


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the tree. ``step``: that before which it parts from what stands above it, None for the end. ``target``: the agent that
    a fork is; ``branch``: the one that was left."""

    depth: int
    step: int | None
    at: datetime
    author: str
    target: Agent | None = None
    branch: Branch | None = None

    @property
    def dom_id(self) -> str:
        return f"row-{self.branch.id}" if self.branch else f"row-fork-{self.target.id if self.target else ''}"

    @property
    def come_back_url(self) -> str:
        return f"/agents/{self.branch.agent_id}/branches/{self.branch.id}/come-back" if self.branch else ""

    @property
    def adopt_url(self) -> str:
        return f"/agents/{self.target.origin.parent_id}/forks/{self.target.id}/adopt" if self.target else ""

    @property
    def cause(self) -> str:
        """Why the branch was left."""
        assert self.branch is not None
        match self.branch.cause:
            case Cause.REWIND:
                return _("left when it went back to before step {number}").format(number=self.branch.step_number)
            case Cause.COME_BACK:
                target = self.branch.target
                return (
                    _("left when it came back to “{name}”").format(name=target.name)
                    if target
                    else _("left when it came back")
                )
            case _:
                return _("left when it took over a fork")

    @property
    def digest(self) -> str:
        return bytes(self.branch.digest).hex() if self.branch else ""

    @property
    def new_steps(self) -> int:
        """How many steps a fork has taken."""
        begun = self.step - 1 if self.step else 0
        return self.target.step_count - begun if self.target and self.step else 0


class BranchesPanel(Panel):
    """``params``: ``branch`` is the id of the one to mark."""

    slug = "branches"
    title = gettext_noop("Branches")
    follows: ClassVar[frozenset[str]] = frozenset({"agent.forked", "agent.changed", "step.started", *MOVES})

    def context(self) -> dict[str, Any]:
        rows = list(self._rows())[:_MOST]
        return {
            "rows": rows,
            "origin": Fork.objects.filter(agent=self.agent).select_related("parent").first(),
            "last_step": self.agent.step_count,
            "fork_url": f"/agents/{self.agent.id}/fork",
            "chosen": self.params.get("branch", ""),
            "params": f"branch={branch}" if (branch := self.params.get("branch", "")) else "",
        }

    def _rows(self) -> Iterator[Row]:
        """Branches and forks, those that parted last first, each fork with its own forks below it."""
        left = Branch.objects.filter(agent=self.agent).select_related("target").order_by("-seq")
        own = [Row(1, each.first_step, each.created_at, each.author, branch=each) for each in left]
        yield from _merged(own, list(_forks([self.agent.id], 1)))


def _merged(own: Sequence[Row], forks: Sequence[Row]) -> Iterator[Row]:
    """Both, newest first; what stands below a fork stays there."""
    groups: list[list[Row]] = [[row] for row in own]
    for row in forks:
        if row.depth == 1:
            groups.append([row])
        else:
            groups[-1].append(row)
    for group in sorted(groups, key=lambda group: group[0].at, reverse=True):
        yield from group


def _forks(agent_ids: Sequence[str], depth: int) -> Iterator[Row]:
    if depth > _DEEPEST or not agent_ids:
        return
    for fork in (
        Fork.objects.filter(parent__in=agent_ids).select_related("agent__origin").order_by("-created_at")[:_MOST]
    ):
        yield Row(depth, fork.step_number, fork.created_at, fork.author, target=fork.agent)
        yield from _forks([fork.agent_id], depth + 1)
