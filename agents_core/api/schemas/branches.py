"""Forks, branches and rewinds on the wire. All of it is this product's own."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, StringConstraints

from agents_core.api.ids import AgentId, ConversationId
from agents_core.api.schemas.common import Answer, StrictBody
from agents_core.models import Branch, Fork

StepNumber = Annotated[int, Field(ge=1, le=2**53)]
BranchName = Annotated[str, StringConstraints(max_length=200)]


class ForkCreate(StrictBody):
    """``step``: just before which the fork is made; without it, of the present of the thread ``conversation_id``. ``blocks``: other
    values by label."""

    step: StepNumber | None = None
    conversation_id: ConversationId | None = None
    name: str | None = None
    model: str | None = None
    system: str | None = None
    blocks: dict[str, str] = {}
    hidden: bool = False


class Move(StrictBody):
    """``name``: of the branch that the present is kept as. ``shared``: also what other agents hold."""

    name: BranchName | None = None
    shared: bool = False


class Rewind(Move):
    step: StepNumber


class Adoption(Move):
    fork_id: AgentId


class BranchResponse(Answer):
    """A branch that the agent has left. ``cause``: "rewind" to ``step_number``, "come_back" to the branch ``target_id``, "adopt" of the
    agent ``fork_id``. ``first_step`` to ``last_step`` were left, null when none were."""

    id: str
    agent_id: str
    conversation_id: str | None
    name: str
    cause: str
    step_number: int | None
    target_id: str | None
    fork_id: str | None
    first_step: int | None
    last_step: int | None
    digest: str
    author: str
    created_at: datetime

    @classmethod
    def of(cls, branch: Branch) -> Self:
        stored = {name: getattr(branch, name) for name in cls.model_fields if name != "digest"}
        return cls.model_construct(**stored, digest=bytes(branch.digest).hex())


class ForkResponse(Answer):
    """``step_number``: the parent's step just before which the fork was made, null for its present then."""

    agent_id: str
    parent_id: str | None
    step_number: int | None
    author: str
    created_at: datetime

    @classmethod
    def of(cls, fork: Fork) -> Self:
        return cls.model_construct(**{name: getattr(fork, name) for name in cls.model_fields})


class BranchesResponse(Answer):
    """``digest``: the SHA-256 of what makes the agent behave as it does now. ``origin``: null for one that is no fork."""

    digest: str
    origin: ForkResponse | None
    forks: list[ForkResponse]
    branches: list[BranchResponse]
