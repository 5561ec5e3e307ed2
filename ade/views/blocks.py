"""Blocks: what a person does to one, for an agent that holds it or by itself; and the list of all."""

import json
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from ade.block_forms import BlockForm, conflict_of, version_in
from ade.block_page import list_context, page_context
from ade.panels.core import BlockCard, cards
from ade.views.dialogs import form_of
from agents_core.actions import agents, blocks
from agents_core.errors import Conflict, InvalidInput, NotFound
from agents_core.models import Agent, Author, Block


def toast(said: str, tone: str = "ok") -> dict[str, str]:
    """The header that shows ``said`` for a moment."""
    return {"HX-Trigger": json.dumps({"toast": {"text": said, "tone": tone}})}


# --- one block ----------------------------------------------------------------------------------------------------


def held(agent_id: str | None, block_id: str) -> tuple[Agent | None, Block]:
    """The agent, if one is named, and the block. Raises ``NotFound``, also when the agent does not hold the block."""
    if agent_id is None:
        return None, blocks.get(block_id)
    agent = agents.get(agent_id)
    block = Block.objects.filter(id=block_id, agent_links__agent=agent).first()
    if block is None:
        raise NotFound(
            _("{name} holds no block {block_id}: it may have been detached or deleted.").format(
                name=agent.name, block_id=block_id
            )
        )
    return agent, block


@require_POST
def save(request: HttpRequest, block_id: str, agent_id: str | None = None) -> HttpResponse:
    """Saves what was written, from the version it was made from; shows both when somebody else was first."""
    agent, block = held(agent_id, block_id)
    try:
        draft = BlockForm(request.POST).changes()
        base = version_in(request.POST)
        return _saved(request, agent, block.id, draft, base)
    except InvalidInput as error:
        return _beside(request, block.id, "ade/partials/_block_problem.html", {"problem": error.message}, status=422)


def _saved(request: HttpRequest, agent: Agent | None, block_id: str, draft: dict[str, Any], base: int) -> HttpResponse:
    try:
        blocks.modify(block_id, draft, Author.PERSON, base)
    except Conflict as conflict:
        if "expected_version" not in conflict.data:
            raise
        return _conflict(request, agent, blocks.get(block_id), draft, base)
    return card_answer(request, agent, block_id)


def card_answer(
    request: HttpRequest, agent: Agent | None, block_id: str, said: str = "", tone: str = "ok"
) -> HttpResponse:
    """The editor with what is stored; what stands beside it follows by the page's socket."""
    if not request.headers.get("HX-Request"):
        return moved(request, f"/agents/{agent.id}/memory?block={block_id}" if agent else f"/blocks/{block_id}")
    [card] = cards([blocks.get(block_id)], agent)
    response = render(request, "ade/partials/_block_editor.html", {"card": card, "agent": agent})
    for name, value in (toast(said, tone) if said else {}).items():
        response[name] = value
    return response


def _conflict(
    request: HttpRequest, agent: Agent | None, block: Block, draft: dict[str, Any], base: int
) -> HttpResponse:
    found = conflict_of(block, base, draft, request.POST)
    if found is None:
        return card_answer(request, agent, block.id)
    context = {"conflict": found, "card": BlockCard(block, agent)}
    return _beside(request, block.id, "ade/partials/_block_conflict.html", context)


def _beside(
    request: HttpRequest, block_id: str, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """An answer that leaves what was typed alone and stands below it."""
    response = render(request, template, context, status=status)
    response["HX-Retarget"], response["HX-Reswap"] = f"#conflict-{block_id}", "innerHTML"
    return response


@require_POST
def check(request: HttpRequest, block_id: str, agent_id: str | None = None) -> HttpResponse:
    """What somebody else changed while this was being written, if anything, and both as far as was chosen; stores nothing."""
    agent, block = held(agent_id, block_id)
    form = BlockForm(request.POST)
    draft = form.changes() if form.is_valid() else {"value": request.POST.get("value", "").replace("\r\n", "\n")}
    found = conflict_of(block, version_in(request.POST), draft, request.POST)
    if found is None:
        return HttpResponse("")
    return render(request, "ade/partials/_block_conflict.html", {"conflict": found, "card": BlockCard(block, agent)})


@require_POST
def resolve(request: HttpRequest, block_id: str, agent_id: str | None = None) -> HttpResponse:
    """Ends a conflict as the person chose: ``merge``, ``mine`` or ``theirs``, against the version that was shown."""
    agent, block = held(agent_id, block_id)
    choice, seen = request.POST.get("choice"), version_in(request.POST, "seen")
    if choice == "theirs":
        return card_answer(request, agent, block.id)
    draft = BlockForm(request.POST).changes()
    if choice == "merge" and seen == block.version:
        base = version_in(request.POST)
        found = conflict_of(block, base, draft, request.POST)
        if found and found.merged is None:
            return _conflict(request, agent, block, draft, base)
        draft = {**draft, **found.merged} if found and found.merged else draft
    return _saved(request, agent, block.id, draft, seen)


@require_POST
def restore(request: HttpRequest, block_id: str, version: int, agent_id: str | None = None) -> HttpResponse:
    """Brings an older version back, as a new one, if nobody has changed the block since ``seen``."""
    agent, block = held(agent_id, block_id)
    seen = version_in(request.POST, "seen") if "seen" in request.POST else None
    block = blocks.restore(block.id, version, Author.PERSON, seen)
    return card_answer(
        request,
        agent,
        block.id,
        _("{label} is as in version {version} again.").format(label=block.label, version=version),
    )


# --- all blocks ---------------------------------------------------------------------------------------------------


@require_GET
def block_list(request: HttpRequest) -> HttpResponse:
    """Blocks, those that several agents hold first; ``?q=`` searches label, description and text."""
    return render(request, "ade/pages/blocks.html", list_context(request.GET.dict()))


@require_GET
def block(request: HttpRequest, block_id: str) -> HttpResponse:
    """One block with its holders and its history."""
    return render(request, "ade/pages/block.html", page_context(blocks.get(block_id), request.GET.dict()))


@require_GET
def block_look(request: HttpRequest, block_id: str) -> HttpResponse:
    """The history of one block, for htmx."""
    return render(request, "ade/partials/_block_look.html", page_context(blocks.get(block_id), request.GET.dict()))


@form_of("/blocks#new-block")
def create(request: HttpRequest) -> HttpResponse:
    """A block that no agent holds yet."""
    made = blocks.create(Author.PERSON, **BlockForm(request.POST).changes())
    return moved(request, f"/blocks/{made.id}")


@require_POST
def delete_block(request: HttpRequest, block_id: str) -> HttpResponse:
    """Takes it from all agents. An agent's page follows by its socket; the block's own leads to the list."""
    blocks.delete(block_id, Author.PERSON)
    if urlsplit(request.headers.get("HX-Current-URL", "")).path.startswith("/agents/"):
        return HttpResponse(status=204, headers=toast(_("Deleted.")))
    return moved(request, "/blocks")


def moved(request: HttpRequest, address: str) -> HttpResponse:
    """Leads to another page, under htmx and without."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)
