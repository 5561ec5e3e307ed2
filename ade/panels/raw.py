"""The request and the response of a step, byte for byte."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.utils.translation import gettext_noop

from ade.panels.base import Panel
from ade.panels.branches import MOVES
from ade.panels.context import number_in
from agents_core.models import Step
from agents_core.record.lines import past
from agents_core.record.steps import request_bytes, response_bytes

_SHOWN_CHARS = 400_000
_AS_SENT = "sent"


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes that went over the wire, with the text to show of them."""

    size: int
    digest: str
    text: str
    is_cut: bool


class RawPanel(Panel):
    """``params``: ``step``, without it the newest is followed; ``view``: "sent" for the bytes as they were, else JSON indented."""

    slug = "raw"
    title = gettext_noop("Raw")
    follows: ClassVar[frozenset[str]] = frozenset({"step.ended", "run.paused", *MOVES})

    def context(self) -> dict[str, Any]:
        number, as_sent = number_in(self.params, "step"), self.params.get("view") == _AS_SENT
        steps = Step.objects.filter(agent=self.agent, request_digest__isnull=False).select_related("response")
        newest = steps.filter(past(self.agent.id)).order_by("-number")
        step = steps.filter(number=number).first() if number else newest.first()
        pinned = {"step": number} if number else {}
        shared = {
            "step": step,
            "number": number,
            "as_sent": as_sent,
            "params": urlencode({**pinned, **({"view": _AS_SENT} if as_sent else {})}),
            "readable_url": f"/agents/{self.agent.id}/panels/raw?{urlencode({'step': number or ''})}",
        }
        return shared if step is None else {**shared, **_bodies(step, as_sent)}


def _bodies(step: Step, as_sent: bool) -> dict[str, Any]:
    try:
        request = request_bytes(step)
    except ValueError as error:
        return {"damage": str(error)}
    return {"request": _body(request, as_sent), "response": _body(response_bytes(step), as_sent)}


def _body(body: bytes, as_sent: bool) -> Body:
    text = body.decode(errors="replace")
    shown = text if as_sent else _indented(text)
    return Body(len(body), sha256(body).hexdigest(), shown[:_SHOWN_CHARS], len(shown) > _SHOWN_CHARS)


def _indented(text: str) -> str:
    """JSON with line breaks; a stream of events with each event's JSON so; anything else as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return "\n".join(_indented_event(line) for line in text.split("\n"))


def _indented_event(line: str) -> str:
    name, separator, value = line.partition(": ")
    try:
        return f"{name}: {json.dumps(json.loads(value), indent=2, ensure_ascii=False)}" if separator else line
    except ValueError:
        return line
