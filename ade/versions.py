"""Versions of blocks as people see them: what each changed, and who made it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject

from agents_core.memory.blocks import VERSIONED
from agents_core.models import BlockVersion
from agents_core.record.diff import Change, diff_words

_AROUND_CHARS = 30


@dataclass(frozen=True, slots=True)
class VersionView:
    """A version with its way from the one before: the words of the text, and a sentence for each other field."""

    version: BlockVersion
    changes: list[Change]
    notes: list[str]

    @property
    def dom_id(self) -> str:
        return f"version-{self.version.pk}"

    @property
    def is_current(self) -> bool:
        return self.version.version == self.version.block.version


def version_views(versions: "QuerySet[BlockVersion]") -> list[VersionView]:
    """The views of ``versions``, in their order, in one query."""
    before = BlockVersion.objects.filter(block=OuterRef("block"), version=OuterRef("version") - 1)
    fields = {name: F(name) for name in VERSIONED}
    found = versions.select_related("block", "step", "agent", "branch").annotate(
        before=Subquery(before.values(fields=JSONObject(**fields))[:1])
    )
    return [_view(version, version.before) for version in found]


def _view(version: BlockVersion, before: dict[str, Any] | None) -> VersionView:
    changes = diff_words(before["value"] if before else "", version.value, around=_AROUND_CHARS)
    return VersionView(version, changes if _differs(changes) else [], list(_notes(version, before)))


def _differs(changes: list[Change]) -> bool:
    return any(change.op != "same" for change in changes)


def _notes(version: BlockVersion, before: dict[str, Any] | None) -> Iterator[str]:
    if before is None:
        yield f"created, limit {version.limit:,}"
        return
    if before["label"] != version.label:
        yield f"label {before['label']} → {version.label}"
    if before["limit"] != version.limit:
        yield f"limit {before['limit']:,} → {version.limit:,}"
    if before["read_only"] != version.read_only:
        yield "read only" if version.read_only else "no longer read only"
    if before["description"] != version.description:
        yield "description changed"
