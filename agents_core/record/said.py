"""What a message says, read out of the JSON of any provider's wire format."""

import json
from collections.abc import Iterator
from typing import Any

_INSIDE = ("reasoning_content", "thinking", "summary", "text", "content", "output", "tool_calls")


def said(raw: bytes) -> str:
    """The texts and calls of a message as sent, each from a new line; ``raw`` itself when it is no JSON.

    What carries no words, such as ids and cache marks, is left out: it stands in the bytes beside.
    """
    text = raw.decode(errors="replace")
    try:
        return "\n".join(_texts(json.loads(text.removeprefix(","))))
    except ValueError:
        return text


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            if value:
                yield value
        case list():
            for each in value:
                yield from _texts(each)
        case {"name": str(name), "arguments": arguments} | {"name": str(name), "input": arguments}:
            yield f"→ {name}({_arguments(arguments)})"
        case {"function": call}:
            yield from _texts(call)
        case {"type": "image" | "image_url" | "input_image" as kind}:
            yield f"[{kind.replace('_', ' ')}]"
        case dict():
            for name in _INSIDE:
                yield from _texts(value.get(name))


def _arguments(arguments: Any) -> str:
    """The arguments of a call as Python would write them."""
    try:
        given = json.loads(arguments) if isinstance(arguments, str) else arguments
    except ValueError:
        return str(arguments)
    if not isinstance(given, dict):
        return json.dumps(given, ensure_ascii=False)
    return ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in given.items())
