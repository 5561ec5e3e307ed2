"""What a person does to an agent's memory."""

import json
from typing import Any

from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from ade.panels.base import bind
from ade.panels.core import CorePanel
from agents_core.actions import agents, archives, blocks
from agents_core.errors import AgentsError, Conflict, InvalidInput
from agents_core.memory.archival.base import PassageDraft
from agents_core.memory.merge import merge
from agents_core.models import Agent, AgentBlock, Author, Block, BlockVersion
from agents_core.record.diff import diff_words

_AROUND_CHARS = 60


def _held(agent: Agent, block_id: str) -> Block:
    """The block, if the agent holds it. Raises ``NotFound`` as ``blocks.of_agent`` does."""
    link = AgentBlock.objects.filter(agent=agent, block_id=block_id).first()
    return blocks.of_agent(agent.id, link.label if link else block_id)


@require_POST
def save_block(request: HttpRequest, agent_id: str, block_id: str) -> HttpResponse:
    """Saves a block's text, limit and mark; gives the editor again, with the conflict when somebody else was first."""
    agent = agents.get(agent_id)
    block = _held(agent, block_id)
    given = request.POST
    if not given.get("version", "").isdigit() or not given.get("limit", "").isdigit():
        raise InvalidInput("The version and the limit of the block are missing: load the page again.")
    changes = {"value": given.get("value", ""), "limit": int(given["limit"]), "read_only": "read_only" in given}
    try:
        blocks.modify(block.id, changes, Author.PERSON, int(given["version"]))
    except Conflict:
        return _editor(
            request, agent, block.id, conflict=_conflict(block.id, int(given["version"]), given.get("value", ""))
        )
    except AgentsError as error:
        return _editor(request, agent, block.id, error=error.message)
    return _editor(request, agent, block.id)


def _editor(request: HttpRequest, agent: Agent, block_id: str, **more: Any) -> HttpResponse:
    label = AgentBlock.objects.get(agent=agent, block_id=block_id).label
    held = CorePanel(agent, {"block": label}).context()["blocks"][0]
    return render(
        request, "ade/partials/_block_editor.html", {"agent": agent, "held": held, "block": held["block"], **more}
    )


def _conflict(block_id: str, version: int, draft: str) -> dict[str, Any]:
    """What both made of the version that the person began with."""
    block = blocks.get(block_id)
    base = BlockVersion.objects.filter(block_id=block_id, version=version).values_list("value", flat=True).first() or ""
    newest = BlockVersion.objects.filter(block_id=block_id).order_by("-version").first()
    return {
        "who": "The agent" if newest and newest.author == Author.AGENT else "Somebody",
        "draft": draft,
        "theirs": diff_words(base, block.value, around=_AROUND_CHARS),
        "mine": diff_words(base, draft, around=_AROUND_CHARS),
        "merged": merge(base, block.value, draft),
    }


@require_POST
def restore_block(request: HttpRequest, agent_id: str, block_id: str, version: int) -> HttpResponse:
    """Brings an older version back, as a new one."""
    blocks.restore(_held(agents.get(agent_id), block_id).id, version, Author.PERSON)
    return HttpResponse(status=204)


@require_POST
def detach_block(request: HttpRequest, agent_id: str, block_id: str) -> HttpResponse:
    blocks.detach(agent_id, _held(agents.get(agent_id), block_id).id, Author.PERSON)
    return HttpResponse(status=204)


@require_POST
def new_block(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Makes a block and attaches it."""
    given = request.POST
    limit = int(given["limit"]) if given.get("limit", "").isdigit() else 2000
    fields = {"label": given.get("label", "").strip(), "value": given.get("value", ""), "limit": limit}
    agents.get(agent_id)
    if AgentBlock.objects.filter(agent=agent_id, label=fields["label"]).exists():
        raise InvalidInput(f"This agent has a block labelled {fields['label']!r} already: choose another label.")
    block = blocks.create(Author.PERSON, **fields, description=given.get("description", "").strip() or None)
    blocks.attach(agent_id, block.id, Author.PERSON)
    return _done(f"{block.label} is in the agent's view from its next step on.")


@require_POST
def attach_block(request: HttpRequest, agent_id: str) -> HttpResponse:
    block = blocks.attach(agent_id, request.POST.get("block_id", ""), Author.PERSON)
    return _done(f"{block.label} is shared with this agent now.")


@require_POST
def insert_passage(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Stores a passage in the agent's archive."""
    agents.get(agent_id)
    archive = archives.own_archive(agent_id)
    tags = list(dict.fromkeys(tag.strip() for tag in request.POST.get("tags", "").split(",") if tag.strip()))
    async_to_sync(archives.insert)(archive, [PassageDraft(archive.id, request.POST.get("text", ""), tags=tags)])
    return _done("Stored.")


@require_POST
def delete_passage(request: HttpRequest, agent_id: str, passage_id: str) -> HttpResponse:
    archives.delete_passage(passage_id, [archive.id for archive in archives.of_agent(agent_id)])
    return HttpResponse(status=204)


def _done(text: str) -> HttpResponse:
    return HttpResponse(status=204, headers={"HX-Trigger": json.dumps({"toast": {"text": text, "tone": "ok"}})})


@require_GET
def memory_page(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Core memory with blame, versions and findings; archival and recall beside it. ``?block=`` names the block."""
    agent = agents.get(agent_id)
    labels = list(AgentBlock.objects.filter(agent=agent).order_by("id").values_list("label", flat=True))
    chosen = request.GET.get("block") if request.GET.get("block") in labels else (labels[0] if labels else None)
    params = {name: str(value) for name, value in request.GET.items()}
    aside = "recall" if request.GET.get("aside") == "recall" else "archival"
    context = {
        "agent": agent,
        "seq": agent.event_seq,
        "labels": labels,
        "chosen": chosen,
        "core": CorePanel(agent, {"block": chosen} if chosen else {}),
        "blame": bind("blame", agent, {"block": chosen} if chosen else {}),
        "aside": bind(aside, agent, params),
        "aside_tabs": [bind(slug, agent, params) for slug in ("archival", "recall")],
        "attachable": attachable(agent),
    }
    return render(request, "ade/pages/memory.html", context)


def attachable(agent: Agent) -> list[Block]:
    """The newest blocks that the agent could share and does not hold."""
    return list(Block.objects.filter(hidden=False).exclude(agents=agent).order_by("-created_at")[:50])
