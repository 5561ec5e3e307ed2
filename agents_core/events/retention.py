"""What of the stream is dropped: the deltas of messages that are committed whole. Those of a run in the background are kept as long as
its stream can be taken up again."""

from datetime import timedelta

from agents_core.models.pipeline import Statement

RESUMABLE = timedelta(hours=3)
"""How long after its end a run's stream can be resumed in the middle."""

_PRUNE = """
DELETE FROM event USING message
WHERE event.type = 'message.delta' AND event.created_at < now() - %s AND message.id = event.payload ->> 'message_id'
    AND NOT EXISTS (
        SELECT 1 FROM run WHERE run.id = event.run_id AND background AND coalesce(completed_at, now()) > now() - %s
    )
"""


def prune_deltas(older_than: timedelta = timedelta(minutes=10)) -> Statement:
    """The statement that deletes deltas older than ``older_than`` whose message is stored."""
    return Statement(_PRUNE, (older_than, RESUMABLE))
