"""The next request of an agent as people see it: what it holds, what reading it costs, and what of it the provider has in its cache."""

from collections.abc import Sequence
from dataclasses import dataclass

from asgiref.sync import async_to_sync
from django.utils.translation import gettext as _

from ade.window import Bar, Comparison, Envelope, Group, cells, envelope_of, groups_of, title_of
from agents_core.models import Agent, SegmentKind, Step, StepKind
from agents_core.record.compare import Compared, compare
from agents_core.record.prefix import Prefix, common_prefix
from agents_core.record.steps import SegmentView, segments_of
from agents_core.runtime.context import COMPACT_AT
from agents_core.runtime.preview import Changes, Previewed, preview_next


@dataclass(frozen=True, slots=True)
class Cached:
    """What of a request is as ``step`` sent it: ``usd`` is what reading it costs when that comes from the provider's cache,
    ``broken_by`` names the part in which it first differs, "" where it only goes on. ``is_kept``: the provider is one that may
    have a cache."""

    kept_bytes: int
    total_bytes: int
    step: int
    usd: float | None
    broken_by: str
    is_kept: bool


@dataclass(frozen=True, slots=True)
class NextRequest:
    """A request that was not sent. ``cached`` None: nothing of it was sent to this model before. ``compared``: with what its parts are."""

    previewed: Previewed
    bar: Bar
    groups: Sequence[Group]
    envelope: Envelope
    cached: Cached | None = None
    compared: str = ""


def last_request(agent: Agent, conversation_id: str | None) -> Step | None:
    """The newest step of the thread whose request is recorded."""
    steps = Step.objects.filter(agent=agent, kind=StepKind.AGENT, request_digest__isnull=False)
    return steps.filter(conversation=conversation_id).order_by("-number").first()


def next_request(agent: Agent, conversation_id: str | None = None, message: str = "") -> NextRequest:
    """The thread's next request, its parts compared with those of the last one sent. Raises as ``preview_next``."""
    previewed = async_to_sync(preview_next)(agent.id, conversation_id, message)
    step = last_request(agent, conversation_id)
    before = segments_of(step) if step else []
    return _drawn(previewed, before, step, _("step {number}").format(number=step.number) if step else "")


def tried(agent: Agent, conversation_id: str | None, message: str, changes: Changes) -> tuple[NextRequest, NextRequest]:
    """The next request as it is and as it would be with ``changes``, the latter compared with the former. Raises as ``preview_next``."""
    now = next_request(agent, conversation_id, message)
    previewed = async_to_sync(preview_next)(agent.id, conversation_id, message, changes)
    step = last_request(agent, conversation_id)
    return _apart(now), _apart(_drawn(previewed, now.previewed.segments, step, _("the request as it is now")))


def with_message(agent: Agent, conversation_id: str | None, message: str) -> NextRequest:
    """As ``next_request``, to stand on one page with it."""
    return _apart(next_request(agent, conversation_id, message))


def _apart(request: NextRequest) -> NextRequest:
    """With other ids in the page than those of the agent's real next request."""
    for group in request.groups:
        group.dom_id = f"tried-{group.dom_id}"
        for part in group.parts:
            part.dom_id = f"tried-{part.dom_id}"
    return request


def _drawn(previewed: Previewed, before: Sequence[SegmentView], step: Step | None, compared: str) -> NextRequest:
    segments = previewed.segments
    comparison = compare(_shown(before), _shown(segments)) if before else _same(segments)
    threshold = round(previewed.limit_tokens * COMPACT_AT)
    bar = Bar(cells((s.kind, s.tokens) for s in segments), previewed.limit_tokens, threshold)
    groups = groups_of(segments, Comparison(comparison))
    return NextRequest(previewed, bar, groups, envelope_of(segments), _cached(previewed, step), compared)


def _cached(previewed: Previewed, step: Step | None) -> Cached | None:
    if step is None or step.url != previewed.url or step.model != previewed.handle.partition("/")[2]:
        return None
    prefix = common_prefix(segments_of(step), previewed.segments)
    usd = previewed.usd_with(_share(prefix, previewed))
    broken = title_of(prefix.broken_by) if prefix.broken_by else ""
    return Cached(prefix.kept_bytes, prefix.total_bytes, step.number, usd, broken, step.url.startswith("http"))


def _share(prefix: Prefix, previewed: Previewed) -> float:
    estimated = sum(segment.tokens for segment in previewed.segments)
    return prefix.kept_tokens / estimated if estimated else 0.0


def _shown(segments: Sequence[SegmentView]) -> list[SegmentView]:
    return [segment for segment in segments if segment.kind != SegmentKind.ENVELOPE]


def _same(segments: Sequence[SegmentView]) -> list[Compared]:
    return [Compared("same", segment, segment) for segment in _shown(segments)]
