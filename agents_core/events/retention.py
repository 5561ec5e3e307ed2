"""What of the stream is dropped: the deltas of messages that are committed whole."""

from datetime import timedelta

from agents_core.models.pipeline import Statement

_PRUNE = """
DELETE FROM event USING message
WHERE event.type = 'message.delta' AND event.created_at < now() - %s AND message.id = event.payload ->> 'message_id'
"""


def prune_deltas(older_than: timedelta = timedelta(minutes=10)) -> Statement:
    """The statement that deletes deltas older than ``older_than`` whose message is stored."""
    return Statement(_PRUNE, (older_than,))
