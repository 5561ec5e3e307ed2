"""Help: the documents as pages, and the tour."""

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from ade import documents, example
from agents_core.models import Agent


@require_GET
def page(request: HttpRequest, name: str = documents.FIRST) -> HttpResponse:
    """One of the documents."""
    context = {"document": documents.document(name), "documents": documents.listed()}
    return render(request, "ade/pages/help.html", context)


@require_GET
def picture(request: HttpRequest, name: str) -> FileResponse:
    return FileResponse(documents.picture(name).open("rb"))


@require_GET
def tour(request: HttpRequest) -> HttpResponse:
    """Leads through the example agent, without one through the agent that was active last, and to the list where there is none."""
    agents = Agent.objects.filter(hidden=False).order_by("-updated_at", "id")
    examples, lived = agents.filter(tags__contains=[example.TAG]), agents.filter(step_count__gt=0)
    agent = examples.first() or lived.first() or agents.first()
    return HttpResponseRedirect(f"/agents/{agent.id}?tour=1" if agent else "/agents")


@require_POST
def make_example(request: HttpRequest) -> HttpResponse:
    """Makes the example agent and goes to it; it answers while the page opens."""
    address = f"/agents/{example.make().id}?tour=1"
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)
