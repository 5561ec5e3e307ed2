"""Comparisons on the wire. Beyond the V1 API."""

from datetime import datetime
from typing import Any, Self

from pydantic import Field

from agents_core.actions.comparisons import MOST_BRANCHES, Proposed, letter
from agents_core.api.ids import AgentId
from agents_core.api.paging import Cursor
from agents_core.api.schemas.common import Answer, StrictBody
from agents_core.api.schemas.experiments import CallChanges
from agents_core.models import Comparison, Run, Variant


class BranchIn(CallChanges):
    label: str = Field("", max_length=80)

    def proposed(self) -> Proposed:
        return Proposed(CallChanges.model_validate(self.model_dump(exclude={"label"})).changes(), self.label)


class BranchesIn(StrictBody):
    branches: list[BranchIn] = Field(min_length=1, max_length=MOST_BRANCHES)
    run: bool = True


class ComparisonCreate(StrictBody):
    """``run``: the branches begin at once."""

    agent_id: AgentId
    from_step: int = Field(ge=1, lt=2**62)
    branches: list[BranchIn] = Field(default_factory=list, max_length=MOST_BRANCHES)
    run: bool = True


class ComparisonFilter(Cursor):
    agent_id: AgentId | None = None


class BranchAnswer(Answer):
    """``agent_id`` is the agent that lives in the branch, null before it runs; ``runs`` are its runs with their status, in order."""

    id: str
    letter: str
    label: str
    changes: dict[str, Any]
    agent_id: str | None
    first_step: int | None
    runs: list[dict[str, str]]

    @classmethod
    def of(cls, variant: Variant, statuses: dict[str, str]) -> Self:
        return cls.model_construct(
            id=variant.id,
            letter=letter(variant.position),
            label=variant.label,
            changes=variant.changes,
            agent_id=variant.fork_id,
            first_step=variant.first_step or None,
            runs=[{"id": run_id, "status": statuses.get(run_id, "deleted")} for run_id in variant.run_ids],
        )


class ComparisonAnswer(Answer):
    id: str
    agent_id: str
    from_step: int
    to_step: int
    created_at: datetime
    branches: list[BranchAnswer]

    @classmethod
    def of(cls, comparison: Comparison) -> Self:
        variants = list(comparison.variants.all())
        ids = [run_id for variant in variants for run_id in variant.run_ids]
        statuses = dict(Run.objects.filter(id__in=ids).values_list("id", "status"))
        own = {name: getattr(comparison, name) for name in ("id", "agent_id", "from_step", "to_step", "created_at")}
        return cls.model_construct(**own, branches=[BranchAnswer.of(variant, statuses) for variant in variants])
