"""The page that searches everything."""

import asyncio

from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET

from ade.address import period, query, text
from ade.searching import KINDS, Search, groups
from agents_core.errors import InvalidInput
from agents_core.memory import recall
from agents_core.models import Agent

_PARAMS = ("q", "kind", "agent", "since", "until")
_OFFERED = 200
_INDEXING_S = 2.0


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """``?q=`` the words; ``kind``, ``agent`` (id), ``since`` and ``until`` (days) narrow it."""
    params = {name: text(request.GET, name) for name in _PARAMS}
    notes = [] if not params["q"] or async_to_sync(_words_are_in)() else [_(_STILL_INDEXING)]
    found = []
    try:
        start, end = period(params, "UTC")
        found = groups(Search(params["q"], params["agent"], start, end), params["kind"])
    except InvalidInput as error:
        notes.append(error.message)
    kinds = [("", _("Everything"), query(params, _PARAMS, kind=None))]
    kinds += [(kind, _(KINDS[kind][0]), query(params, _PARAMS, kind=kind)) for kind in KINDS]
    context = {**params, "groups": found, "kinds": kinds, "agents": _agents(params["agent"]), "notes": notes}
    return render(request, "ade/pages/search.html", context)


_STILL_INDEXING = gettext_noop(
    "Many messages are new: those not yet indexed are missing here. Search again in a moment."
)


async def _words_are_in() -> bool:
    """Makes the words of new messages findable; False when there are more than can be waited for."""
    try:
        async with asyncio.timeout(_INDEXING_S):
            for agent_id in await recall.pending_agents():
                await recall.index_words(agent_id)
    except TimeoutError:
        return False
    return True


def _agents(chosen: str) -> list[Agent]:
    """Those offered to search in, the one chosen among them."""
    newest = list(Agent.objects.filter(hidden=False).order_by("-updated_at", "id")[:_OFFERED])
    if chosen and chosen not in {agent.id for agent in newest}:
        newest += Agent.objects.filter(id=chosen)
    return sorted(newest, key=lambda agent: agent.name.casefold())
