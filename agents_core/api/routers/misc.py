"""Health and tags."""

from django.db.models import F, Func
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from agents_core import __version__
from agents_core.api.reply import reply
from agents_core.api.schemas.agents import TagFilter
from agents_core.models import Agent

router = Router(tags=["server"])


@router.get("/health/")
async def health(request: HttpRequest) -> HttpResponse:
    return reply({"version": __version__, "status": "ok"})


@router.get("/ready/")
def ready(request: HttpRequest) -> HttpResponse:
    Agent.objects.exists()
    return reply({"version": __version__, "status": "ok"})


@router.get("/tags/", response=list[str])
def list_tags(request: HttpRequest, query: Query[TagFilter]) -> HttpResponse:
    """The tags of agents; the cursors are tags."""
    rows = Agent.objects.annotate(tag=Func(F("tags"), function="unnest")).values_list("tag", flat=True).distinct()
    tags = sorted(set(rows), reverse=query.order == "desc")
    text = (query.query_text or query.name or "").lower()
    found = [tag for tag in tags if text in tag.lower() and _between(tag, query)]
    return reply(found[-query.limit :] if query.before and not query.after else found[: query.limit])


def _between(tag: str, query: TagFilter) -> bool:
    sign = 1 if query.order == "asc" else -1
    after = query.after is None or (tag > query.after if sign > 0 else tag < query.after)
    before = query.before is None or (tag < query.before if sign > 0 else tag > query.before)
    return after and before
