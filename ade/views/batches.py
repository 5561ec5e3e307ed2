"""Batches: many messages sent at once by a program; the list of them, and one with its requests."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from ade.address import text
from ade.batch_page import list_context, page_context
from ade.views.blocks import moved, toast
from agents_core.actions import batches


@require_GET
def batch_list(request: HttpRequest) -> HttpResponse:
    return render(request, "ade/pages/batches.html", list_context(request.GET.get("page")))


@require_GET
def batch_page(request: HttpRequest, batch_id: str) -> HttpResponse:
    """A batch; ``?state=`` narrows its requests, ``?page=`` chooses some of them."""
    context = page_context(batches.get(batch_id), text(request.GET, "state"), request.GET.get("page"))
    return render(request, "ade/pages/batch.html", context)


@require_POST
def cancel(request: HttpRequest, batch_id: str) -> HttpResponse:
    """Stops those of its requests that have not ended."""
    batches.cancel(batch_id)
    if not request.headers.get("HX-Request"):
        return moved(request, f"/batches/{batch_id}")
    return HttpResponse(status=204, headers=toast(_("Asked to stop.")))
