"""Batches as their pages show them: how many of a batch's requests have ended and how, what they took, and each of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ade.fragments import Fragment
from ade.panels.runs import with_sums
from ade.status import workspace_fragment
from agents_core.actions.batches import status_of
from agents_core.models import ACTIVE, Batch, Message, Role, Run, RunStatus
from agents_core.runtime.speech import plain_text

PAGE = 50
_ASKED_CHARS = 200

TABS: Mapping[str, tuple[str, Collection[str]]] = {
    "": (gettext_noop("All"), RunStatus.values),
    "active": (gettext_noop("Under way"), ACTIVE),
    "completed": (gettext_noop("Completed"), (RunStatus.COMPLETED,)),
    "failed": (gettext_noop("Failed"), (RunStatus.FAILED,)),
    "cancelled": (gettext_noop("Cancelled"), (RunStatus.CANCELLED,)),
}
"""What the tabs of a batch are called, and the states of the runs in each."""

_WORDS: Mapping[str, str] = {
    RunStatus.CREATED: gettext_noop("queued"),
    RunStatus.RUNNING: gettext_noop("running"),
    RunStatus.PAUSED: gettext_noop("paused"),
    RunStatus.COMPLETED: gettext_noop("completed"),
    RunStatus.FAILED: gettext_noop("failed"),
    RunStatus.CANCELLED: gettext_noop("cancelled"),
}
_TONES = {RunStatus.COMPLETED: "ok", RunStatus.FAILED: "bad", RunStatus.PAUSED: "pause"}


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of a batch's requests stand so."""

    words: str
    count: int
    tone: str


@dataclass(slots=True)
class BatchView:
    """A batch with its requests, of those agents that are still there: ``counts`` by the state of their runs. ``cost`` is None where no
    price is known."""

    batch: Batch
    counts: dict[str, int] = field(default_factory=dict)
    agents: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: Decimal | None = None

    @property
    def dom_id(self) -> str:
        return f"row-{self.batch.id}"

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def ended(self) -> int:
        return self.total - self.of(ACTIVE)

    @property
    def is_active(self) -> bool:
        return self.of(ACTIVE) > 0

    def of(self, statuses: Collection[str]) -> int:
        return sum(self.counts.get(status, 0) for status in statuses)

    @property
    def tallies(self) -> list[Tally]:
        """What there is of each state, ended ones first."""
        order = [RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED, *ACTIVE[::-1]]
        return [Tally(_(_WORDS[s]), self.counts[s], _TONES.get(s, "")) for s in order if self.counts.get(s)]

    @property
    def status(self) -> str:
        """As the API tells it."""
        return status_of(self.batch, list(self.counts))

    @property
    def state(self) -> str:
        """The same as a data-state."""
        return "queued" if self.status == RunStatus.CREATED else self.status

    @property
    def words(self) -> str:
        return _("stopping") if self.is_active and self.batch.cancel_requested else _(_WORDS[self.status])

    @property
    def is_settled(self) -> bool:
        """Whether nothing more becomes of it: all has ended, and whoever asked to be told has been."""
        told = self.batch.callback_url is None or self.batch.callback_sent_at is not None
        return self.batch.completed_at is not None and told

    @property
    def took_ms(self) -> float | None:
        ended: datetime | None = self.batch.completed_at
        return (ended - self.batch.created_at).total_seconds() * 1000 if ended else None


def batch_views(batches: Sequence[Batch]) -> list[BatchView]:
    """The views of ``batches``, in their order, in two queries."""
    views = {batch.id: BatchView(batch) for batch in batches}
    runs = Run.objects.filter(batch__in=views).order_by()
    for batch_id, status, count in runs.values_list("batch", "status").annotate(count=Count("id")):
        views[str(batch_id)].counts[status] = count
    steps = (Sum("steps__prompt_tokens", default=0), Sum("steps__completion_tokens", default=0), Sum("steps__cost_usd"))
    for row in runs.values_list("batch").annotate(Count("agent", distinct=True), *steps):
        view = views[str(row[0])]
        view.agents, view.prompt_tokens, view.completion_tokens, view.cost = row[1:]
    return list(views.values())


# --- the list ---------------------------------------------------------------------------------------------------------


def _page(number: str | None) -> "Page[Batch]":
    return Paginator(Batch.objects.order_by("-created_at", "id"), PAGE).get_page(number)


def list_context(number: str | None) -> dict[str, Any]:
    """What the list shows on the page ``number``, the newest batches first."""
    page = _page(number)
    return {"page": page, "views": batch_views(list(page.object_list))}


def list_fragments(number: str | None, settled: set[str]) -> list[Fragment]:
    """The list, but not the rows of the batches in ``settled``, to which those are added that have settled now.

    A large batch is summed up only as long as something can become of it.
    """
    page = _page(number)
    moving = batch_views([batch for batch in page.object_list if batch.id not in settled])
    settled.update(view.batch.id for view in moving if view.is_settled)
    rows = [
        Fragment(view.dom_id, "ade/partials/_batch_row.html", {"view": view}, "prepend", "batch-rows")
        for view in reversed(moving)
    ]
    filled = [Fragment("batches-empty", swap="remove")] if page.object_list else []
    return [*filled, *rows, workspace_fragment("batches")]


# --- one batch --------------------------------------------------------------------------------------------------------


def page_context(batch: Batch, tab: str, number: str | None) -> dict[str, Any]:
    """What the page of a batch shows: ``tab`` is one of ``TABS``, ``number`` the page of its requests."""
    [view] = batch_views([batch])
    chosen = tab if tab in TABS else ""
    ordered = Run.objects.filter(batch=batch, status__in=TABS[chosen][1]).order_by("agent__name", "first_seq", "id")
    page = Paginator(ordered.values_list("id", flat=True), PAGE).get_page(number)
    tabs = [(name, _(title), view.of(statuses)) for name, (title, statuses) in TABS.items()]
    return {
        "view": view,
        "batch": batch,
        "tab": chosen,
        "tabs": [each for each in tabs if each[2] or each[0] in ("", chosen)],
        "page": page,
        "runs": _requests(list(page.object_list)),
    }


def _requests(run_ids: Sequence[str]) -> list[Run]:
    """The runs in that order, with their steps' sums, each with what was ``asked``."""
    found = with_sums(Run.objects.select_related("agent")).in_bulk(run_ids)
    asked: dict[str, list[str]] = {run_id: [] for run_id in run_ids}
    said = Message.objects.filter(run__in=run_ids, role=Role.USER).order_by("seq")
    for run_id, content in said.values_list("run", "content"):
        asked[str(run_id)].append(plain_text(content))
    runs = [found[run_id] for run_id in run_ids if run_id in found]
    for run in runs:
        run.asked = " ".join(asked[run.id])[:_ASKED_CHARS]
    return runs


def live_fragments(context: Mapping[str, Any]) -> list[Fragment]:
    """All of the page that can change while it is open, from its ``page_context``."""
    parts = ("state", "requests", "facts")
    return [Fragment(f"batch-{part}", f"ade/partials/_batch_{part}.html", context) for part in parts]
