"""Breakpoints and pauses on the wire: this product's own, in no contract."""

from datetime import datetime
from typing import Any, Literal, Self

from agents_core.api.paging import Cursor
from agents_core.api.schemas.common import Answer, StrictBody
from agents_core.models import Breakpoint, Intervention, Pause


class BreakpointChange(StrictBody):
    """See ``agents_core.models.Breakpoint``."""

    kind: str = ""
    target: str = ""
    pattern: str = ""
    threshold: int | None = None
    condition: str = ""
    nth: int = 1
    log: str = ""
    enabled: bool = True


class BreakpointBody(BreakpointChange):
    kind: str


class BreakpointResponse(BreakpointBody):
    id: str
    agent_id: str | None
    hits: int
    created_at: datetime

    @classmethod
    def of(cls, row: Breakpoint) -> Self:
        return cls.model_construct(**{name: getattr(row, name) for name in cls.model_fields})


class InterventionResponse(Answer):
    """See ``agents_core.models.Intervention``."""

    kind: str
    target: str
    before: str
    after: str
    created_at: datetime

    @classmethod
    def of(cls, row: Intervention) -> Self:
        return cls.model_construct(**{name: getattr(row, name) for name in cls.model_fields})


class PauseFilter(Cursor):
    """``standing``: only those that nobody has let go on."""

    standing: bool = False


class PauseResponse(Answer):
    """See ``agents_core.models.Pause``."""

    id: str
    agent_id: str
    run_id: str
    step_id: str
    stage: str
    reasons: list[dict[str, Any]]
    proposed: list[dict[str, Any]]
    resolution: str | None
    created_at: datetime
    resolved_at: datetime | None
    interventions: list[InterventionResponse]

    @classmethod
    def of(cls, row: Pause) -> Self:
        stored = {name: getattr(row, name) for name in cls.model_fields if name != "interventions"}
        made = [InterventionResponse.of(each) for each in row.interventions.all()]
        return cls.model_construct(**stored, interventions=made)


class ResumeBody(StrictBody):
    how: Literal["continue", "over", "into", "out", "cancel"] = "continue"
    until: int | None = None


class EditBody(StrictBody):
    """See ``agents_core.actions.pauses.edit``."""

    kind: str
    target: str = ""
    value: Any = ""
    status: str = "success"
