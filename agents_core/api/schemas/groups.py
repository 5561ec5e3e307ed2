"""Groups on the wire (contract: wire, section 19)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from agents_core.api.paging import AscendingCursor, Cursor
from agents_core.api.schemas.common import Answer, Body
from agents_core.models import Group, GroupAgent, GroupTurn

Kind = Literal["round_robin", "supervisor", "dynamic", "sleeptime", "voice_sleeptime"]
Turns = Annotated[int, Field(ge=1, le=1000)]
Seconds = Annotated[int, Field(ge=1, le=31_536_000)]

_STORED = (
    "id",
    "manager_type",
    "description",
    "termination_token",
    "max_turns",
    "sleeptime_agent_frequency",
    "sleeptime_idle_s",
    "turns_counter",
    "last_processed_message_id",
    "max_message_buffer_length",
    "min_message_buffer_length",
    "shared_block_ids",
    "hidden",
)


class GroupResponse(Answer):
    id: str
    manager_type: str
    agent_ids: list[str]
    description: str
    manager_agent_id: str | None
    termination_token: str | None
    max_turns: int | None
    sleeptime_agent_frequency: int | None
    sleeptime_idle_s: int | None
    turns_counter: int
    last_processed_message_id: str | None
    max_message_buffer_length: int | None
    min_message_buffer_length: int | None
    shared_block_ids: list[str]
    hidden: bool
    project_id: str | None = None
    template_id: str | None = None
    base_template_id: str | None = None
    deployment_id: str | None = None


def group_responses(groups: Sequence[Group]) -> list[GroupResponse]:
    """The groups with their members, read in one query."""
    links = GroupAgent.objects.filter(group__in=groups).order_by("id").values_list("group_id", "agent_id")
    members: dict[str, list[str]] = {group.id: [] for group in groups}
    for group_id, agent_id in links:
        members[group_id].append(agent_id)
    return [
        GroupResponse.model_construct(
            **{name: getattr(group, name) for name in _STORED},
            agent_ids=members[group.id],
            manager_agent_id=group.manager_id,
        )
        for group in groups
    ]


def managed_groups(agent_ids: Sequence[str]) -> dict[str, GroupResponse]:
    """The group that each agent leads, by agent: the one that tends its memory, if there are several."""
    rows = Group.objects.filter(manager__in=agent_ids)
    groups = sorted(rows, key=lambda group: (group.manager_type.endswith("sleeptime"), group.created_at))
    return {str(response.manager_agent_id): response for response in group_responses(groups)}


class ManagerConfig(Body):
    """How a group decides who speaks. Null leaves a field as it is; a frequency or a time of 0 means none."""

    manager_type: Kind | None = None
    manager_agent_id: str | None = None
    termination_token: str | None = Field(None, min_length=1)
    max_turns: Turns | None = None
    sleeptime_agent_frequency: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    sleeptime_idle_s: Annotated[int, Field(ge=0, le=31_536_000)] | None = None
    max_message_buffer_length: Turns | None = None
    min_message_buffer_length: Turns | None = None

    def settings(self) -> dict[str, Any]:
        given: dict[str, Any] = self.given()
        if "manager_agent_id" in given:
            given["manager_id"] = given.pop("manager_agent_id")
        for name in ("sleeptime_agent_frequency", "sleeptime_idle_s"):
            if given.get(name) == 0:
                given[name] = None
        return given


class GroupUpdate(Body):
    agent_ids: list[str] | None = None
    description: str | None = None
    manager_config: ManagerConfig | None = None
    shared_block_ids: list[str] | None = None
    hidden: bool | None = None

    def changes(self) -> dict[str, Any]:
        given = {name: value for name, value in self.given().items() if name != "manager_config"}
        return given | (self.manager_config.settings() if self.manager_config else {})


class GroupCreate(GroupUpdate):
    agent_ids: list[str]


class GroupFilter(AscendingCursor):
    manager_type: Kind | None = None
    show_hidden_groups: bool = False


class GroupTurnResponse(Answer):
    """A request to a group and how it stands; ``run_ids`` are the runs of its agents in the order of speaking."""

    id: str
    group_id: str
    status: str
    stop_reason: str | None
    error: dict[str, Any] | None
    run_ids: list[str]
    created_at: datetime
    completed_at: datetime | None

    @classmethod
    def of(cls, turn: GroupTurn) -> "GroupTurnResponse":
        return cls.model_construct(**{name: getattr(turn, name) for name in cls.model_fields})


class GroupTurnFilter(Cursor):
    active: bool = False
