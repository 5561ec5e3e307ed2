"""The model handles to offer in forms."""

from asgiref.sync import async_to_sync
from django.core.cache import cache

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


def forget_handles() -> None:
    """After a provider changed."""
    cache.delete(_KEY)
