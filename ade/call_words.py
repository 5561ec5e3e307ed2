"""A tool call as Python would write it."""

from collections.abc import Mapping
from json import dumps
from typing import Any


def call_words(arguments: Mapping[str, Any]) -> str:
    """The arguments of a call."""
    return ", ".join(f"{name}={dumps(value, ensure_ascii=False)}" for name, value in arguments.items())


def call_as_code(name: str, words: str) -> str:
    return f"{name}({words})"
