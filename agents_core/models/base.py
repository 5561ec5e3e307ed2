"""Prefixed ids and the columns that every noun shares."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone


def new_id(prefix: str) -> str:
    """A fresh wire id, ``<prefix>-<uuid4>`` (contract: wire, section 1)."""
    return f"{prefix}-{uuid4()}"


if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField


class IdField(_TextField):
    """A primary key whose default is a fresh ``<prefix>-<uuid4>``."""

    def __init__(self, prefix: str = "", **options: Any) -> None:
        self.prefix = prefix
        super().__init__(**{**options, "primary_key": True, "default": self.fresh, "editable": False})

    def fresh(self) -> str:
        return new_id(self.prefix)

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        for implied in ("primary_key", "default", "editable"):
            options.pop(implied, None)
        return name, path, args, {**options, "prefix": self.prefix}


class Timestamped(models.Model):
    """``created_at`` is set by the database, ``updated_at`` by each ``save()`` and by each raw update that changes a value."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        abstract = True

    def save(self, *, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        if not self._state.adding:
            self.updated_at = timezone.now()
            update_fields = None if update_fields is None else {*update_fields, "updated_at"}
        super().save(update_fields=update_fields, **options)


def of_conversation(name: str) -> models.Index:
    """The index of the rows that belong to a conversation, which most rows do not."""
    return models.Index(fields=["conversation"], condition=models.Q(conversation__isnull=False), name=name)


def one_of(field: str, choices: type[models.TextChoices], name: str) -> models.CheckConstraint:
    """The constraint that ``field`` holds one of ``choices``."""
    return models.CheckConstraint(condition=models.Q(**{f"{field}__in": choices.values}), name=name)
