"""Model calls made again, on the wire. Beyond the V1 API."""

from datetime import datetime
from typing import Any, Self

from pydantic import Field

from agents_core.api.ids import AgentId, StepId
from agents_core.api.paging import Cursor
from agents_core.api.schemas.common import Answer, StrictBody
from agents_core.models import Experiment
from agents_core.runtime.preview import Changes


class CallChanges(StrictBody):
    """``blocks``: texts by label, null for a block that is not there."""

    model: str | None = None
    system: str | None = None
    blocks: dict[str, str | None] = Field(default_factory=dict, max_length=100)

    def changes(self) -> Changes:
        return Changes(**self.model_dump())


class ExperimentCreate(StrictBody):
    step_id: StepId
    changes: CallChanges = Field(default_factory=CallChanges)


class ExperimentFilter(Cursor):
    agent_id: AgentId | None = None
    step_id: StepId | None = None


class ExperimentAnswer(Answer):
    """See ``agents_core.models.Experiment``."""

    id: str
    agent_id: str
    step_id: str
    status: str
    changes: dict[str, Any]
    handle: str
    url: str
    answer: dict[str, Any] | None
    error: dict[str, Any] | None
    prompt_tokens: int
    completion_tokens: int
    cached_input_tokens: int
    cost_usd: float | None
    first_token_ms: float | None
    model_ms: float | None
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, experiment: Experiment) -> Self:
        stored = {name: getattr(experiment, name) for name in cls.model_fields}
        cost = experiment.cost_usd
        return cls.model_construct(**{**stored, "cost_usd": None if cost is None else float(cost)})
