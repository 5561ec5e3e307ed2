"""Trying what would change in an agent's next request. Nothing is written and nothing is sent."""

from collections.abc import Callable, Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ade.address import thread
from ade.next_request import tried, with_message
from agents_core.actions import agents
from agents_core.errors import AgentsError, InvalidInput
from agents_core.models import Agent, Block, Tool
from agents_core.runtime.preview import Changes

_NUMBERS = {"temperature": float, "max_output_tokens": int}


@require_POST
def try_changes(request: HttpRequest, agent_id: str) -> HttpResponse:
    """The next request with the form's message and changes, beside the one without them."""
    agent = agents.get(agent_id)
    conversation = thread(request.POST) or None
    try:
        message = _message(request.POST)
        changes = _changes(agent, request.POST)
        if changes:
            now, then = tried(agent, conversation, message, changes)
            context: dict[str, Any] = {"now": now, "next": then}
        else:
            context = {"next": with_message(agent, conversation, message)}
    except AgentsError as error:
        context = {"refusal": error.message}
    return render(request, "ade/partials/_next_tried.html", {"agent": agent, **context})


def _message(given: QueryDict) -> str:
    """What the form says, or the draft that stands in the composer."""
    return _lines(given.get("text" if given.get("with_draft") else "message", "")).strip()


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n")


def _changes(agent: Agent, given: QueryDict) -> Changes:
    """What differs from the agent as it is. Raises ``InvalidInput`` for a number that is none."""
    model, system = given.get("model", "").strip(), _lines(given.get("system", agent.system))
    return Changes(
        model=model if model not in ("", agent.model) else None,
        system=system if system != _lines(agent.system) else None,
        blocks=dict(_blocks(agent, given)),
        attach=[name for name in given.get("attach", "").split() if name],
        detach=_detached(agent, given),
        settings=_settings(agent, given),
    )


def _blocks(agent: Agent, given: QueryDict) -> Iterator[tuple[str, str | None]]:
    for block in Block.objects.filter(agent_links__agent=agent):
        value = given.get(f"block-{block.id}")
        if given.get(f"without-{block.id}"):
            yield block.label, None
        elif value is not None and _lines(value) != _lines(block.value):
            yield block.label, _lines(value)


def _detached(agent: Agent, given: QueryDict) -> list[str]:
    kept = given.getlist("tool")
    names = Tool.objects.filter(agent_links__agent=agent).values_list("name", flat=True)
    return [name for name in names if name not in kept] if given.get("tools_shown") else []


def _settings(agent: Agent, given: QueryDict) -> dict[str, Any]:
    numbers = {
        name: _number(name, read, given.get(name, "").strip()) for name, read in _NUMBERS.items() if name in given
    }
    changed = {name: number for name, number in numbers.items() if number != agent.model_settings.get(name)}
    return {"model_settings": changed} if changed else {}


def _number(name: str, read: Callable[[str], float], text: str) -> float | None:
    try:
        return read(text) if text else None
    except ValueError:
        raise InvalidInput(_("{name} has to be a number, not {text!r}.").format(name=name, text=text)) from None
