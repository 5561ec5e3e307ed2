"""Answers: pydantic values as JSON, written once in compiled code."""

from typing import Any

from django.http import HttpResponse
from pydantic_core import to_json


def reply(value: Any, status: int = 200, **headers: str) -> HttpResponse:
    """An answer whose body is ``value``: a pydantic model, or plain data with such in it. Absent optionals are explicit nulls."""
    return HttpResponse(to_json(value), status=status, content_type="application/json", headers=headers or None)


def done(message: str) -> HttpResponse:
    """What a deletion answers."""
    return reply({"message": message})
