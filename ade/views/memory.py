"""An agent's memory page, and what a person does to the agent's blocks, passages and tools."""

from typing import Any
from urllib.parse import urlsplit

from asgiref.sync import async_to_sync
from django.db.models import Count, Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ade.address import text
from ade.block_forms import BlockForm
from ade.block_page import searched
from ade.panels.archival import passage_view
from ade.panels.base import bind
from ade.panels.outline import asking
from ade.views.blocks import moved, toast
from agents_core.actions import agents, archives, blocks, tools
from agents_core.errors import Conflict, InvalidInput, NotFound
from agents_core.memory.archival.base import PassageDraft
from agents_core.models import AgentBlock, AgentTool, Archive, Author, Block, Passage, Tool

CHOICES = 30
"""Blocks or tools that are offered at once: the search finds the others."""


@require_GET
def memory_page(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Core memory with blame, versions and findings; archival and recall beside it. ``?block=`` names the block."""
    agent = agents.get(agent_id)
    params = {name: str(value) for name, value in request.GET.items()}
    aside = "recall" if request.GET.get("aside") == "recall" else "archival"
    context = {
        "agent": agent,
        "seq": agent.event_seq,
        "core": bind("core", agent, {**params, "page": "1"}),
        "blame": bind("blame", agent, {**params, "page": "1"}),
        "aside": bind(aside, agent, params),
        "aside_tabs": [bind(slug, agent, params) for slug in ("archival", "recall")],
    }
    return render(request, "ade/pages/memory.html", context)


# --- blocks -------------------------------------------------------------------------------------------------------


@require_GET
def attachable_blocks(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Blocks with the words ``?q=`` that the agent could share and does not hold, those of several agents first."""
    agent = agents.get(agent_id)
    found = searched(text(request.GET, "q")).exclude(id__in=agent.blocks.values("id"))
    shown = found.annotate(holders=Count("agent_links")).order_by("-holders", "label", "id")[:CHOICES]
    return render(request, "ade/partials/_attachable.html", {"agent": agent, "blocks": shown})


@require_POST
def new_block(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Makes a block and attaches it."""
    agent = agents.get(agent_id)
    fields = BlockForm(request.POST).changes()
    if AgentBlock.objects.filter(agent=agent, label=fields["label"]).exists():
        raise InvalidInput(
            _("{name} has a block labelled {label!r} already: choose another label.").format(
                name=agent.name, label=fields["label"]
            )
        )
    block = blocks.create(Author.PERSON, **fields)
    blocks.attach(agent_id, block.id, Author.PERSON)
    return _came(request, agent_id, block)


@require_POST
def attach_block(request: HttpRequest, agent_id: str, block_id: str) -> HttpResponse:
    return _came(request, agent_id, blocks.attach(agent_id, block_id, Author.PERSON))


def _came(request: HttpRequest, agent_id: str, block: Block) -> HttpResponse:
    """The workspace follows by its socket; the memory page moves to the block."""
    if urlsplit(request.headers.get("HX-Current-URL", "")).path.endswith("/memory"):
        return moved(request, f"/agents/{agent_id}/memory?block={block.id}")
    return HttpResponse(
        status=204, headers=toast(_("{label} is in the agent's view from its next step on.").format(label=block.label))
    )


@require_POST
def detach_block(request: HttpRequest, agent_id: str, block_id: str) -> HttpResponse:
    block = blocks.detach(agent_id, block_id, Author.PERSON)
    return HttpResponse(
        status=204, headers=toast(_("{label} is no longer in this agent's view.").format(label=block.label))
    )


# --- passages -----------------------------------------------------------------------------------------------------


@require_POST
def insert_passage(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Stores a passage in the archive named, else in the agent's own; the socket shows it."""
    fields = _passage_fields(request)
    archive = _archive(agent_id, request.POST.get("archive", ""))
    async_to_sync(archives.insert)(archive, [PassageDraft(archive.id, **fields)])
    return HttpResponse(status=204, headers=toast(_("Stored.")))


def _archive(agent_id: str, archive_id: str) -> Archive:
    if not archive_id:
        return archives.own_archive(agent_id)
    chosen = next((archive for archive in archives.of_agent(agent_id) if archive.id == archive_id), None)
    if chosen is None:
        raise NotFound(_("The agent holds no archive {archive_id}: load the page again.").format(archive_id=archive_id))
    return chosen


def _passage_fields(request: HttpRequest) -> dict[str, Any]:
    """Raises ``InvalidInput`` for a text that is empty or too long."""
    written = request.POST.get("text", "").replace("\r\n", "\n").replace("\x00", "")
    if not written.strip():
        raise InvalidInput(_("A passage needs a text."))
    if len(written) > archives.TEXT_LIMIT_CHARS:
        raise InvalidInput(
            _("A passage may have {most:,} characters: split it.").format(most=archives.TEXT_LIMIT_CHARS)
        )
    tags = (tag.strip() for tag in text(request.POST, "tags").split(","))
    return {"text": written, "tags": list(dict.fromkeys(tag for tag in tags if tag))}


@require_GET
def passage(request: HttpRequest, agent_id: str, passage_id: str) -> HttpResponse:
    """One passage as the list shows it."""
    return _row(request, agent_id, _passage(agent_id, passage_id))


@require_http_methods(["GET", "POST"])
def edit_passage(request: HttpRequest, agent_id: str, passage_id: str) -> HttpResponse:
    """The passage as a form; a POST saves it, unless somebody else has changed it since."""
    found = _passage(agent_id, passage_id)
    if request.method == "GET":
        return render(request, "ade/partials/_passage_form.html", {"agent": agents.get(agent_id), "passage": found})
    if request.POST.get("was") != found.updated_at.isoformat():
        raise Conflict(_("The passage was changed meanwhile: cancel, look at it, and edit it again."))
    fields = _passage_fields(request)
    return _row(request, agent_id, async_to_sync(archives.edit_passage)(found.id, [found.archive_id], fields))


@require_POST
def delete_passage(request: HttpRequest, agent_id: str, passage_id: str) -> HttpResponse:
    archives.delete_passage(passage_id, [archive.id for archive in archives.of_agent(agent_id)])
    return HttpResponse(status=204, headers=toast(_("Deleted.")))


def _passage(agent_id: str, passage_id: str) -> Passage:
    held_ids = [archive.id for archive in archives.of_agent(agent_id)]
    found = Passage.objects.filter(id=passage_id, archive__in=held_ids, is_deleted=False).select_related("step").first()
    if found is None:
        raise NotFound(_("The agent has no such passage: it may have been deleted."))
    return found


def _row(request: HttpRequest, agent_id: str, found: Passage) -> HttpResponse:
    """The passage as the list shows it, with the keyboard where it was."""
    context = {"agent": agents.get(agent_id), "view": passage_view(agent_id, found), "focused": True}
    return render(request, "ade/partials/_passage.html", context)


# --- tools --------------------------------------------------------------------------------------------------------


@require_GET
def agent_tools(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Tools with the words ``?q=``, to attach or detach."""
    return _tools(request, agent_id, text(request.GET, "q"))


@require_POST
def attach_tool(request: HttpRequest, agent_id: str, tool_id: str) -> HttpResponse:
    tools.attach(agent_id, tool_id)
    return _tools(request, agent_id, text(request.POST, "q"))


@require_POST
def detach_tool(request: HttpRequest, agent_id: str, tool_id: str) -> HttpResponse:
    tools.detach(agent_id, tool_id)
    return _tools(request, agent_id, text(request.POST, "q"))


@require_POST
def set_approval(request: HttpRequest, agent_id: str, tool_id: str) -> HttpResponse:
    """Whether the calls of a tool wait for a person: ``ask`` is sent when they do."""
    tools.set_approval(agent_id, tools.get(tool_id).name, "ask" in request.POST)
    return _tools(request, agent_id, text(request.POST, "q"))


def _tools(request: HttpRequest, agent_id: str, words: str) -> HttpResponse:
    """The choices, those that the agent has first."""
    agent = agents.get(agent_id)
    found = Tool.objects.annotate(is_held=Exists(AgentTool.objects.filter(agent=agent, tool=OuterRef("pk"))))
    for word in words.split():
        found = found.filter(Q(name__icontains=word) | Q(description__icontains=word))
    shown = found.order_by("-is_held", "name", "id")[:CHOICES]
    return render(request, "ade/partials/_tool_choices.html", {"agent": agent, "tools": shown, "asking": asking(agent)})
