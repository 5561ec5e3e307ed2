"""Agents that tend the memory of another one while it rests (contract: agent-loop, section 7)."""

from collections.abc import Sequence

from agents_core.actions.new_agent import NewAgent
from agents_core.events.publish import publish
from agents_core.events.types import GroupChanged
from agents_core.models import (
    SLEEPTIME_GROUPS,
    Agent,
    AgentArchive,
    AgentKind,
    Archive,
    Block,
    Group,
    GroupAgent,
    GroupKind,
    Message,
)

FREQUENCY = 5
"""A sleep-time agent is called with each so many requests to the agent that it tends, the first among them."""

VOICE_BUFFER = (15, 30)
"""The least and the most messages that a voice agent's history holds before they are remembered."""

_PERSONA = {
    "label": "memory_persona",
    "description": "How you tend the memory: what you keep, what you leave out, how you write it. Yours alone.",
    "value": (
        "I keep the memory of another agent true, short and well ordered. I write down what will still matter later, in plain words and "
        "with dates where they count. I correct what has changed instead of adding to it, and I invent nothing."
    ),
}


def group_of(agent_id: str) -> Group | None:
    """The group of the agents that tend this one's memory."""
    return Group.objects.filter(manager=agent_id, manager_type__in=SLEEPTIME_GROUPS).first()


def companions(agent_id: str) -> list[str]:
    """The ids of the agents that tend this one's memory."""
    links = GroupAgent.objects.filter(group__manager=agent_id, group__manager_type__in=SLEEPTIME_GROUPS)
    return list(links.values_list("agent_id", flat=True))


def tended_by(agent_id: str) -> list[str]:
    """The ids of the agents whose memory this one tends."""
    links = GroupAgent.objects.filter(agent=agent_id, group__manager_type__in=SLEEPTIME_GROUPS)
    return list(links.values_list("group__manager_id", flat=True))


def companion_of(agent: Agent, blocks: Sequence[Block]) -> NewAgent:
    """The sleep-time agent to make for ``agent``, whose blocks it shares."""
    is_voice = agent.agent_type == AgentKind.VOICE
    return NewAgent(
        name=f"{agent.name}-sleeptime",
        agent_type=AgentKind.VOICE_SLEEPTIME if is_voice else AgentKind.SLEEPTIME,
        description=f"Tends the memory of {agent.name}.",
        model=agent.model,
        model_settings={k: v for k, v in agent.model_settings.items() if k != "response_format"},
        context_window=agent.context_window,
        embedding=agent.embedding,
        memory_blocks=[_PERSONA],
        block_ids=[block.id for block in blocks if block.label != _PERSONA["label"]],
        timezone=agent.timezone,
        hidden=agent.hidden,
    )


def introduce(agent: Agent, companion: Agent) -> Group:
    """The group in which ``companion`` tends ``agent``'s memory, in the caller's transaction. What was said before is not gone through."""
    is_voice = agent.agent_type == AgentKind.VOICE
    least, most = VOICE_BUFFER if is_voice else (None, None)
    last = Message.objects.filter(agent=agent).order_by("-seq").first()
    group = Group.objects.create(
        manager_type=GroupKind.VOICE_SLEEPTIME if is_voice else GroupKind.SLEEPTIME,
        description=f"{companion.name} tends the memory of {agent.name}.",
        manager=agent,
        sleeptime_agent_frequency=FREQUENCY,
        last_processed_message_id=last.id if last else None,
        last_processed_seq=last.seq if last else 0,
        min_message_buffer_length=least,
        max_message_buffer_length=most,
    )
    GroupAgent.objects.create(group=group, agent=companion)
    if is_voice:
        _share_archive(agent, companion)
    for member in (agent, companion):
        member.event_seq = publish(member.id, GroupChanged(group.id, "created"))
    return group


def _share_archive(agent: Agent, companion: Agent) -> None:
    """Lets the agent find what its companion stores."""
    archives = list(Archive.objects.filter(agent_links__agent=agent))
    if not archives:
        archives = [Archive.objects.create(name=f"{agent.name}'s Archive", embedding=agent.embedding)]
        AgentArchive.objects.create(agent=agent, archive=archives[0])
    AgentArchive.objects.bulk_create([AgentArchive(agent=companion, archive=archive) for archive in archives])
