"""Lists by cursor: ``after`` and ``before`` are ids, the order is (a column, id) (contract: wire, section 3)."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from django.db.models import Model, Q, QuerySet
from pydantic import BaseModel, Field

from agents_core.errors import NotFound

Row = TypeVar("Row", bound=Model)
Order = Literal["asc", "desc"]
Limit = Annotated[int, Field(ge=1, le=1000)]


class Cursor(BaseModel):
    """The paging parameters that most lists take."""

    before: str | None = None
    after: str | None = None
    limit: Limit = 50
    order: Order = "desc"
    order_by: Literal["created_at", "updated_at", "last_run_completion", "last_message_at", "name"] = "created_at"


class AscendingCursor(Cursor):
    order: Order = "asc"


@dataclass(frozen=True, slots=True)
class Sort:
    """``column`` orders the list, the id breaks ties. ``strict``: a cursor nobody knows is a 404, else it is ignored."""

    column: str = "created_at"
    strict: bool = False


def page(rows: QuerySet[Row], cursor: Cursor, sort: Sort = Sort()) -> list[Row]:
    """The rows of one page, in the order asked for. With ``before`` they are the ones nearest to it.

    Raises ``NotFound`` for an unknown cursor of a strict list.
    """
    descending = cursor.order == "desc"
    if cursor.after and (place := _place(rows, cursor.after, sort)):
        rows = rows.filter(_beyond(sort.column, place, larger=not descending))
    backwards = False
    if cursor.before and (place := _place(rows, cursor.before, sort)):
        rows = rows.filter(_beyond(sort.column, place, larger=descending))
        backwards = not cursor.after
    signs = "-" if descending != backwards else ""
    found = list(rows.order_by(f"{signs}{sort.column}", f"{signs}pk")[: cursor.limit])
    return found[::-1] if backwards else found


def _place(rows: QuerySet[Row], cursor_id: str, sort: Sort) -> tuple[Any, str] | None:
    """Where the cursor's row stands, whether or not the list's filters let it through."""
    source: QuerySet[Row] = QuerySet(rows.model)
    if sort.column in rows.query.annotations:
        source = source.annotate(**{sort.column: rows.query.annotations[sort.column]})
    value = source.filter(pk=cursor_id).values_list(sort.column, flat=True).first()
    if value is None and sort.strict:
        raise NotFound(f"The cursor {cursor_id!r} is not in this list.")
    return None if value is None else (value, cursor_id)


def _beyond(column: str, place: tuple[Any, str], *, larger: bool) -> Q:
    value, row_id = place
    sign = "gt" if larger else "lt"
    return Q(**{f"{column}__{sign}": value}) | Q(**{column: value, f"pk__{sign}": row_id})
