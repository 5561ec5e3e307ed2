"""Messages of an agent listed by what they hold, newest first: for a person who looks through them, not for ranking."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast, Concat

from agents_core.memory.words import storable
from agents_core.models import Message


@dataclass(frozen=True, slots=True)
class Listing:
    """``words`` must all stand in the message, in any order and case; ``start`` and ``end`` are aware and inclusive."""

    agent_id: str
    words: str = ""
    roles: Sequence[str] = ()
    start: datetime | None = None
    end: datetime | None = None


def list_messages(listing: Listing) -> QuerySet[Message]:
    """The messages, of every role, newest first; slice it."""
    given = {
        "role__in": list(listing.roles),
        "created_at__gte": listing.start,
        "created_at__lte": listing.end,
    }
    messages = Message.objects.filter(
        agent_id=listing.agent_id, abandoned=False, **{name: value for name, value in given.items() if value}
    )
    parts = [Cast(name, TextField()) for name in ("content", "tool_calls", "tool_returns")]
    messages = messages.annotate(body=Concat(*parts, output_field=TextField()))
    for word in storable(listing.words).split():
        messages = messages.filter(body__icontains=word)
    return messages.order_by("-seq")
