"""What a person or a client may do with the conversations of an agent, its threads beside the default one."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from agents_core.actions.agents import locked
from agents_core.actions.model_choice import check_handle
from agents_core.actions.prompt import current_parts
from agents_core.errors import NotFound
from agents_core.events.publish import publish
from agents_core.events.types import AgentChanged, MessageCreated
from agents_core.memory.render import stored_parts
from agents_core.models import WAITING, Conversation, Message


def create(agent_id: str, **fields: Any) -> Conversation:
    """A new conversation with its compiled system message. Raises ``NotFound`` for the agent or the model."""
    if fields.get("model"):
        check_handle(fields["model"])
    with transaction.atomic():
        agent = locked(agent_id)
        conversation = Conversation.objects.create(agent=agent, **fields)
        content = stored_parts(current_parts(agent, conversation.id))
        message = Message(agent=agent, conversation=conversation, role="system", content=content)
        message.seq = message.context_position = publish(
            agent_id, AgentChanged(["conversations"]), MessageCreated(message.id, message.role)
        )
        message.save(force_insert=True)
    return conversation


def get(conversation_id: str) -> Conversation:
    """Raises ``NotFound``."""
    conversation = Conversation.objects.filter(pk=conversation_id).first()
    if conversation is None:
        raise NotFound(f"There is no conversation {conversation_id}.")
    return conversation


def modify(conversation_id: str, changes: Mapping[str, Any]) -> Conversation:
    if changes.get("model"):
        check_handle(changes["model"])
    with transaction.atomic():
        conversation = get(conversation_id)
        for name, value in changes.items():
            setattr(conversation, name, value)
        conversation.save(update_fields=list(changes))
        publish(conversation.agent_id, AgentChanged(["conversations"]))
    return conversation


def in_context(conversation_id: str) -> list[str]:
    """The ids of the messages that the next request holds, the system message first."""
    rows = Message.objects.filter(conversation=conversation_id, context_position__gt=WAITING)
    return list(rows.order_by("context_position", "seq").values_list("id", flat=True))
