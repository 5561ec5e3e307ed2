"""One hash over all that makes an agent behave as it does. Two agents, or one at two times, with the same hash are in the same state."""

import json
from hashlib import sha256
from typing import Any

from agents_core.models import WAITING, Agent, AgentTool, Block, Message, Role, SegmentKind
from agents_core.models.pipeline import Statement, run_sync
from agents_core.record.worlds import SETTINGS

_SAID = "md5(jsonb_build_array(role, content, tool_calls, tool_returns, name)::text)"
_MESSAGES = f"""
SELECT md5(coalesce(string_agg({_SAID}, '' ORDER BY context_position, seq)
        FILTER (WHERE context_position > 0 AND conversation_id IS NOT DISTINCT FROM %s), '')),
    md5(coalesce(string_agg({_SAID}, '' ORDER BY seq) FILTER (WHERE NOT abandoned), ''))
FROM message WHERE agent_id = %s AND NOT (role = 'system' AND content -> 0 ? 'kind')
"""
_PASSAGES = """
WITH said AS (
    SELECT md5(jsonb_build_array(text, author, tags, passage.metadata)::text) AS hash, passage.created_at
    FROM passage JOIN agent_archive USING (archive_id) WHERE agent_id = %s AND NOT is_deleted
)
SELECT md5(coalesce(string_agg(hash, '' ORDER BY created_at, hash), '')) FROM said
"""


def state_digest(agent_id: str, conversation_id: str | None = None) -> str:
    """SHA-256, in hexadecimal digits, over settings, prompt, tools, blocks, the context of a thread, recall and archival memory.

    Ids, times and counts are left out, so that a fork has its parent's. Raises ``Agent.DoesNotExist``.
    """
    agent = Agent.objects.get(pk=agent_id)
    blocks = Block.objects.filter(agent_links__agent=agent).order_by("agent_links__id")
    [[messages], [(passages,)]] = run_sync(
        [Statement(_MESSAGES, (conversation_id, agent_id)), Statement(_PASSAGES, (agent_id,))]
    )
    told = [
        {name: getattr(agent, name) for name in SETTINGS},
        _prompt(agent_id, conversation_id),
        list(AgentTool.objects.filter(agent=agent).values_list("tool", flat=True)),
        list(blocks.values_list("label", "value", "description", "limit", "read_only")),
        messages,
        passages,
    ]
    return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _prompt(agent_id: str, conversation_id: str | None) -> list[Any]:
    """The stored prompt without its counts and its time, which say nothing that the rest does not."""
    thread = Message.objects.filter(agent=agent_id, conversation=conversation_id, context_position__gt=WAITING)
    prompt = thread.filter(role=Role.SYSTEM).order_by("context_position").first()
    return [part["text"] for part in (prompt.content if prompt else []) if part.get("kind") != SegmentKind.METADATA]
