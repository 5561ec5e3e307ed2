"""Which agents tend an agent's memory, whose memory it tends, and when they are called next."""

from dataclasses import dataclass

from agents_core.actions import sleeptime
from agents_core.models import Agent, Group


@dataclass(frozen=True, slots=True)
class Tending:
    """``group``: in which ``companions`` tend the agent's memory, None without; ``tended``: the agents whose memory it tends itself."""

    agent: Agent
    group: Group | None
    companions: list[Agent]
    tended: list[Agent]

    @property
    def next_in(self) -> int | None:
        """After how many requests the companions are called; None when they are not."""
        if self.group is None or not self.agent.enable_sleeptime or not self.companions:
            return None
        every = self.group.sleeptime_agent_frequency or 1
        return -self.group.turns_counter % every or every

    @property
    def is_companion(self) -> bool:
        return bool(self.tended)


def tending(agent: Agent) -> Tending:
    companions = Agent.objects.filter(id__in=sleeptime.companions(agent.id)).order_by("name", "id")
    tended = Agent.objects.filter(id__in=sleeptime.tended_by(agent.id)).order_by("name", "id")
    return Tending(agent, sleeptime.group_of(agent.id), list(companions), list(tended))
