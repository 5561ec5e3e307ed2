"""The system prompt of an agent as it would be sent now, and the stored message that holds it."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from agents_core.memory import render
from agents_core.memory.files.directory import DIRECTORY_SQL, Directory, directory_of
from agents_core.models import WAITING, Agent, Block, Message, Passage, Role, SegmentKind
from agents_core.models.pipeline import Statement, run_sync
from agents_core.runtime.policy import policy_of
from agents_core.tools import rules

_DIRECTORY = f"SELECT {DIRECTORY_SQL} FROM agent WHERE id = %s"


def prompt_parts(
    agent: Agent, blocks: Sequence[Block], metadata: render.MetadataFacts, directory: Directory | None = None
) -> list[render.PromptPart]:
    """The parts of the prompt; see ``render.compile_system``."""
    facts = [render.BlockFacts(b.id, b.label, b.value, b.limit, b.description, b.read_only) for b in blocks]

    numbered = render.numbers_lines(agent.agent_type, agent.model.partition("/")[0])
    described = render.AgentFacts(agent.id, agent.system, policy_of(agent.agent_type).shows_memory, numbered)
    return render.compile_system(described, facts, rules.sentences(agent.tool_rules), metadata, directory)


def current_parts(agent: Agent, conversation_id: str | None = None) -> list[render.PromptPart]:
    """The parts with the blocks and counts of this moment."""
    blocks = list(Block.objects.filter(agent_links__agent=agent).order_by("agent_links__id"))
    passages = Passage.objects.filter(archive__agent_links__agent=agent, is_deleted=False)
    metadata = render.MetadataFacts(
        datetime.now(ZoneInfo(agent.timezone)),
        conversation_id,
        Message.objects.filter(agent=agent, context_position__isnull=True, abandoned=False).count(),
        passages.count(),
    )
    [[(directory,)]] = run_sync([Statement(_DIRECTORY, (agent.id,))])
    return prompt_parts(agent, blocks, metadata, directory_of(directory))


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
    parts = current_parts(agent, conversation_id)
    stored = None if dry_run else stored_prompt(agent.id, conversation_id)
    if stored is not None:
        stored.content = render.stored_parts(parts)
        stored.save(update_fields=["content"])
    return render.text_of(parts)


def stale_parts(agent: Agent, conversation_id: str | None, now: Sequence[render.PromptPart]) -> list[dict[str, str]]:
    """The parts of the stored prompt that are not as in ``now`` any more, and those it lacks: {kind, source_id, label}. The counts and
    the time do not matter."""
    stored = stored_prompt(agent.id, conversation_id)
    before, after = _by_source(render.parts_of(stored.content) if stored else []), _by_source(now)
    changed = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return [{"kind": kind, "source_id": source_id, "label": label} for kind, source_id, label in changed]


def _by_source(parts: Sequence[render.PromptPart]) -> dict[tuple[str, str, str], str]:
    """The texts by what they show; the blank lines between parts are nobody's."""
    texts: dict[tuple[str, str, str], str] = {}
    for part in parts:
        if part.kind != SegmentKind.METADATA:
            key = (str(part.kind), part.source_id, part.label)
            texts[key] = texts.get(key, "") + part.text.strip()
    return texts
