"""What the trace shows of a stored message."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import template

from ade.said import text_of

register = template.Library()
register.filter("text_of", text_of)


@register.filter
def images_of(content: Iterable[Mapping[str, Any]]) -> list[str]:
    """The images of a message as data addresses."""
    return [f"data:{part['media_type']};base64,{part['data']}" for part in content if part["type"] == "image"]
