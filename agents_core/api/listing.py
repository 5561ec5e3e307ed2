"""Lists of messages: a page of stored ones, shown."""

from typing import Any

from django.db.models import QuerySet

from agents_core.actions.history import MessageRow, agent_kinds, messages
from agents_core.api.paging import Cursor
from agents_core.api.schemas.messages import MessageCursor, ShownAs
from agents_core.api.wire import Shown, View, expand, shown_messages, view_of
from agents_core.models import Message


def view_asked(kind: str, shown: ShownAs) -> View:
    return view_of(
        kind,
        use_assistant_message=shown.use_assistant_message,
        tool=shown.assistant_message_tool_name,
        argument=shown.assistant_message_tool_kwarg,
        kinds=shown.include_return_message_types,
    )


def listed(rows: "QuerySet[Message]", cursor: MessageCursor, shown: ShownAs, kind: str) -> list[Shown]:
    """A page of one agent's messages, oldest first.

    Clients stop at an empty page, so a page of which nothing is shown gives way to the next in its direction.
    """
    view = view_asked(kind, shown)
    while stored := _page(rows, cursor, "seq"):
        visible = shown_messages(stored, view)
        if visible or len(stored) < cursor.limit:
            return visible
        cursor = _next(cursor, stored)
    return []


def listed_everywhere(rows: "QuerySet[Message]", cursor: MessageCursor, shown: ShownAs) -> list[Shown]:
    """A page of several agents' messages, each as its agent's kind is shown."""
    stored = _page(rows, cursor, "created_at")
    views = {
        agent_id: view_asked(kind, shown) for agent_id, kind in agent_kinds([row["agent_id"] for row in stored]).items()
    }
    return [message for row in stored for message in shown_messages([row], views[row["agent_id"]])]


def _page(rows: "QuerySet[Message]", cursor: MessageCursor, column: str) -> list[MessageRow]:
    return messages(
        rows,
        before=cursor.before,
        after=cursor.after,
        limit=cursor.limit,
        descending=cursor.order == "desc",
        column=column,
    )


def _next(cursor: MessageCursor, stored: list[MessageRow]) -> MessageCursor:
    if cursor.order == "desc":
        return cursor.model_copy(update={"before": stored[0]["id"]})
    return cursor.model_copy(update={"after": stored[-1]["id"]})


def newest_first(rows: list[MessageRow], view: View) -> list[Shown]:
    """Messages with the newest first, the parts of each in their order."""
    return [shown for row in reversed(rows) for shown in expand(row, view) if view.wants(shown)]


def in_order(rows: list[MessageRow], view: View, order: str) -> list[Any]:
    return newest_first(rows, view) if order == "desc" else shown_messages(rows, view)


def paged(rows: "QuerySet[Message]", cursor: Cursor) -> list[MessageRow]:
    """A page of messages for a list whose ``after`` means further on in its own order, not newer; oldest first all the same."""
    descending = cursor.order == "desc"
    newer, older = (cursor.before, cursor.after) if descending else (cursor.after, cursor.before)
    return messages(rows, after=newer, before=older, limit=cursor.limit, descending=descending)
