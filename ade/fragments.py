"""A fragment: one DOM node of an open page, rendered anew by the server and put in its place by id."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from django.template.loader import render_to_string


@dataclass(frozen=True, slots=True)
class Fragment:
    """``template`` renders exactly one element whose id is ``dom_id``.

    ``swap``: "morph" changes the node into it (and appends it to ``target`` when it is not there yet), "append" and "prepend" put it
    into ``target``, "remove" takes the node away and renders nothing.
    """

    dom_id: str
    template: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    swap: Literal["morph", "append", "prepend", "remove"] = "morph"
    target: str | None = None

    def rendered(self) -> dict[str, Any]:
        """As static/ade/js/patch.js takes it."""
        message: dict[str, Any] = {"id": self.dom_id, "swap": self.swap}
        if self.target:
            message["target"] = self.target
        if self.swap != "remove":
            message["html"] = render_to_string(self.template, dict(self.context))
        return message
