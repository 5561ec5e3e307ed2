"""Requests that clients send again after a lost connection: the same messages, by their otids, become one run."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from psycopg.errors import UniqueViolation

from agents_core.actions.messages import Input, SentRun, send
from agents_core.models import new_id, pipeline
from agents_core.models.pipeline import Statement

_KEEP_KEY = "UPDATE run SET request_key = %s WHERE id = %s"
_SENT_BEFORE = "SELECT id, first_seq FROM run WHERE agent_id = %s AND request_key = %s"


async def send_once(
    agent_id: str, inputs: Sequence[Input], *, conversation_id: str | None = None, **how: Any
) -> SentRun:
    """As ``send``. When each message has an otid, and a run of the same thread was asked for with the same ones, gives that run."""
    key = _request_key(inputs, conversation_id)
    if key is None:
        return await send(agent_id, inputs, conversation_id=conversation_id, **how)
    run_id = new_id("run")
    try:
        return await send(
            agent_id,
            inputs,
            conversation_id=conversation_id,
            run_id=run_id,
            also=[Statement(_KEEP_KEY, (key, run_id))],
            **how,
        )
    except UniqueViolation:
        [row] = (await pipeline.run([Statement(_SENT_BEFORE, (agent_id, key))]))[0]
        return SentRun(*row)


def _request_key(inputs: Sequence[Input], conversation_id: str | None) -> str | None:
    otids = [message.otid for message in inputs if message.otid]
    if not otids or len(otids) < len(inputs):
        return None
    return sha256("|".join([conversation_id or "", *otids]).encode()).hexdigest()
