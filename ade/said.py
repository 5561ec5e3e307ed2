"""What stands in messages and calls, as a person reads it."""

from collections.abc import Iterable, Mapping
from json import dumps, loads
from typing import Any

SPEAKING_TOOL = "send_message"
"""The tool that only speaks to the person."""


def text_of(content: Iterable[Mapping[str, Any]]) -> str:
    return "".join(part["text"] for part in content if part["type"] == "text")


def reasoning_of(content: Iterable[Mapping[str, Any]]) -> str:
    return "\n".join(part["reasoning"] for part in content if part["type"] == "reasoning" and part["reasoning"])


def note_text(text: str) -> str:
    """An automatic message as a person reads it."""
    try:
        packed = loads(text)
    except ValueError:
        return text
    return str(packed.get("reason", text)) if isinstance(packed, dict) else text


def argument_text(arguments: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={dumps(value, ensure_ascii=False)}" for name, value in arguments.items())
