"""The system prompt of an agent as it would be sent now, and the stored message that holds it."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from agents_core.memory import render
from agents_core.models import WAITING, Agent, Block, Message, Passage, Role
from agents_core.runtime.policy import policy_of
from agents_core.tools import rules


def prompt_parts(agent: Agent, blocks: Sequence[Block], metadata: render.MetadataFacts) -> list[render.PromptPart]:
    """The parts of the prompt; see ``render.compile_system``."""
    facts = [render.BlockFacts(b.id, b.label, b.value, b.limit, b.description, b.read_only) for b in blocks]

    numbered = render.numbers_lines(agent.agent_type, agent.model.partition("/")[0])
    described = render.AgentFacts(agent.id, agent.system, policy_of(agent.agent_type).shows_memory, numbered)
    return render.compile_system(described, facts, rules.sentences(agent.tool_rules), metadata)


def current_parts(agent: Agent, conversation_id: str | None = None) -> list[render.PromptPart]:
    """The parts with the blocks and counts of this moment."""
    blocks = list(Block.objects.filter(agent_links__agent=agent).order_by("agent_links__id"))
    passages = Passage.objects.filter(archive__agent_links__agent=agent, is_deleted=False)
    metadata = render.MetadataFacts(
        datetime.now(ZoneInfo(agent.timezone)),
        conversation_id,
        Message.objects.filter(agent=agent, context_position__isnull=True).count(),
        passages.count(),
    )
    return prompt_parts(agent, blocks, metadata)


def text_of(parts: Sequence[render.PromptPart]) -> str:
    return "".join(part.text for part in parts)


def stored_prompt(agent_id: str, conversation_id: str | None = None) -> Message | None:
    """The message that holds the prompt of a thread: the system message that stands first in its context."""
    return (
        Message.objects.filter(
            agent=agent_id, conversation=conversation_id, role=Role.SYSTEM, context_position__gt=WAITING
        )
        .order_by("context_position")
        .first()
    )


def recompile(agent: Agent, conversation_id: str | None = None, *, dry_run: bool = False) -> str:
    """The prompt of a thread, compiled anew and, unless ``dry_run``, stored in place of the old."""
    text = text_of(current_parts(agent, conversation_id))
    stored = None if dry_run else stored_prompt(agent.id, conversation_id)
    if stored is not None:
        stored.content = [{"type": "text", "text": text}]
        stored.save(update_fields=["content"])
    return text
