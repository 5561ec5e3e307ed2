"""Health, tags, and what only a hosted service has."""

from django.db.models import F, Func
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from agents_core import __version__
from agents_core.api.errors import refusal
from agents_core.api.reply import reply
from agents_core.api.schemas.agents import TagFilter
from agents_core.models import Agent

router = Router(tags=["server"])

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


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


def _hosted_only(request: HttpRequest, **parts: str) -> HttpResponse:
    return refusal("This belongs to the hosted service; a server of your own does not have it.", 501)


def _not_yet(request: HttpRequest, **parts: str) -> HttpResponse:
    return refusal("This server does not have this yet.", 501)


for _path in (
    "/templates",
    "/templates/{path:rest}",
    "/environments",
    "/environments/{path:rest}",
    "/client-side-access-tokens",
    "/client-side-access-tokens/{path:rest}",
    "/agents/{agent_id}/schedule",
    "/agents/{agent_id}/schedule/{path:rest}",
):
    router.api_operation(_METHODS, _path, include_in_schema=False)(_hosted_only)

for _path in (
    "/folders/",
    "/folders/{path:rest}",
    "/mcp-servers/{path:rest}",
    "/agents/import",
    "/agents/{agent_id}/export",
    "/agents/{agent_id}/summarize",
    "/agents/{agent_id}/folders",
    "/agents/{agent_id}/folders/{path:rest}",
    "/agents/{agent_id}/files",
    "/agents/{agent_id}/files/{path:rest}",
    "/agents/{agent_id}/identities/{path:rest}",
    "/conversations/{conversation_id}/compact",
    "/conversations/{conversation_id}/fork",
    "/runs/{run_id}/trace",
):
    router.api_operation(_METHODS, _path, include_in_schema=False)(_not_yet)
