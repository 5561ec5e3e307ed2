"""All blocks: who holds them, and editing one by itself."""

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from agents_core.actions import blocks
from agents_core.errors import AgentsError, InvalidInput
from agents_core.models import Author, Block, BlockVersion

PAGE = 50


@require_GET
def block_list(request: HttpRequest) -> HttpResponse:
    """Blocks, those that several agents hold first; ``?q=`` searches label, description and text."""
    words = request.GET.get("q", "").strip()
    found = (
        Block.objects.filter(hidden=False).annotate(holders=Count("agent_links")).order_by("-holders", "label", "id")
    )
    if words:
        found = found.filter(Q(label__icontains=words) | Q(value__icontains=words) | Q(description__icontains=words))
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    return render(request, "ade/pages/blocks.html", {"page": page, "words": words})


@require_http_methods(["GET", "POST"])
def block(request: HttpRequest, block_id: str) -> HttpResponse:
    """One block with its holders and versions; a POST saves it, from the version it was made from."""
    error = _save(request, block_id) if request.method == "POST" else ""
    found = blocks.get(block_id)
    if request.method == "POST" and not error:
        return HttpResponseRedirect(f"/blocks/{block_id}")
    versions = BlockVersion.objects.filter(block=found).select_related("step").order_by("-version")[:PAGE]
    context = {"block": found, "holders": found.agents.order_by("name"), "versions": versions, "error": error}
    return render(request, "ade/pages/block.html", context, status=422 if error else 200)


def _save(request: HttpRequest, block_id: str) -> str:
    given = request.POST
    try:
        if not given.get("limit", "").isdigit() or not given.get("version", "").isdigit():
            raise InvalidInput("The limit has to be a whole number of characters.")
        changes = {
            "label": given.get("label", "").strip(),
            "value": given.get("value", ""),
            "description": given.get("description", "").strip() or None,
            "limit": int(given["limit"]),
            "read_only": "read_only" in given,
        }
        blocks.modify(block_id, changes, Author.PERSON, int(given["version"]))
    except AgentsError as error:
        return error.message
    return ""


@require_POST
def delete_block(request: HttpRequest, block_id: str) -> HttpResponse:
    blocks.delete(block_id, Author.PERSON)
    return HttpResponse(status=204, headers={"HX-Redirect": "/blocks"})
