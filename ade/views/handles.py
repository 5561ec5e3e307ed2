"""The model handles to offer in forms."""

from asgiref.sync import async_to_sync
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from agents_core.actions.providers import models

_KEY = "model-handles"
_KEPT_S = 60


def model_handles() -> list[str]:
    """The handles of every provider set up, asked of them once a minute at most."""
    kept: list[str] | None = cache.get(_KEY)
    if kept is None:
        kept = [choice.handle for choice in async_to_sync(models)()[0]]
        cache.set(_KEY, kept, _KEPT_S)
    return kept


@require_GET
def handle_options(request: HttpRequest) -> HttpResponse:
    """The options of a field for a model."""
    return render(request, "ade/partials/_handles.html", {"handles": model_handles()})


def forget_handles() -> None:
    """After a provider changed."""
    cache.delete(_KEY)
