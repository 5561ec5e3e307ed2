"""The request and the response of a step, byte for byte."""

import json
from typing import Any, ClassVar

from ade.panels.base import Panel
from ade.panels.context import number_in
from agents_core.models import Step
from agents_core.record.steps import request_bytes, response_bytes

_SHOWN_BYTES = 400_000


class RawPanel(Panel):
    slug = "raw"
    title = "Raw"
    follows: ClassVar = frozenset({"step.ended"})

    def context(self) -> dict[str, Any]:
        steps = Step.objects.filter(agent=self.agent, request_digest__isnull=False).select_related("response")
        number = number_in(self.params, "step")
        step = steps.filter(number=number).first() if number else steps.order_by("-number").first()
        if step is None:
            return {"pinned": number}
        request, response = request_bytes(step), response_bytes(step)
        return {
            "step": step,
            "pinned": number,
            "digest": bytes(step.request_digest or b"").hex(),
            "request_size": len(request),
            "response_size": len(response),
            "request_text": _readable(request),
            "response_text": response[:_SHOWN_BYTES].decode(errors="replace"),
            "is_cut": len(request) > _SHOWN_BYTES,
        }


def _readable(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)[:_SHOWN_BYTES]
    except ValueError:
        return body[:_SHOWN_BYTES].decode(errors="replace")
