"""Versions of blocks as people see them: what each changed, and who made it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _

from agents_core.memory.blocks import VERSIONED
from agents_core.memory.causes import Cause, causes
from agents_core.models import Block, BlockVersion
from agents_core.record.diff import Change, diff_words

_AROUND_CHARS = 30
_DIGITS = 9


@dataclass(frozen=True, slots=True)
class VersionView:
    """A version with its way from the one before: the words of the text, and a sentence for each other field."""

    version: BlockVersion
    changes: list[Change]
    notes: list[str]
    cause: Cause | None = None

    @property
    def dom_id(self) -> str:
        return f"version-{self.version.pk}"

    @property
    def is_current(self) -> bool:
        return self.version.version == self.version.block.version


def version_views(versions: "QuerySet[BlockVersion]") -> list[VersionView]:
    """The views of ``versions``, in their order, in a fixed number of queries."""
    before = BlockVersion.objects.filter(block=OuterRef("block"), version=OuterRef("version") - 1)
    fields = {name: F(name) for name in VERSIONED}
    found = versions.select_related("block", "step", "agent", "branch").annotate(
        before=Subquery(before.values(fields=JSONObject(**fields))[:1])
    )
    why = causes(version.step for version in found)
    return [_view(version, version.before, why.get(version.step_id or "")) for version in found]


def _view(version: BlockVersion, before: dict[str, Any] | None, cause: Cause | None) -> VersionView:
    changes = diff_words(before["value"] if before else "", version.value, around=_AROUND_CHARS)
    notes = [*_restored(version), *_notes(before, version)]
    return VersionView(version, changes if _differs(changes) else [], notes, cause)


def _restored(version: BlockVersion) -> list[str]:
    return [_("back to v{number}").format(number=version.restored)] if version.restored else []


@dataclass(frozen=True, slots=True)
class Comparison:
    """The way from one version of a block to another: ``changes`` of the whole text, and ``notes`` of the other fields. ``problem``: why
    there is none, in a sentence."""

    first: str
    second: str
    changes: list[Change]
    notes: list[str]
    problem: str = ""

    @property
    def is_same(self) -> bool:
        return not (_differs(self.changes) or self.notes or self.problem)


def comparison(block: Block, first: str, second: str) -> Comparison:
    """The way from version ``first`` to ``second``, as a person has written their numbers."""
    numbers = [int(text) for text in (first, second) if text.isdecimal() and len(text) <= _DIGITS]
    found = {version.version: version for version in BlockVersion.objects.filter(block=block, version__in=numbers)}
    if len(numbers) < 2 or not found.keys() >= set(numbers):
        return Comparison(
            first,
            second,
            [],
            [],
            _("Give two numbers of versions: {label} has 1 to {version}.").format(
                label=block.label, version=block.version
            ),
        )
    one, other = (found[number] for number in numbers)
    before = {name: getattr(one, name) for name in VERSIONED}
    return Comparison(first, second, diff_words(one.value, other.value), list(_notes(before, other)))


def _differs(changes: list[Change]) -> bool:
    return any(change.op != "same" for change in changes)


def _notes(before: dict[str, Any] | None, version: BlockVersion) -> Iterator[str]:
    if before is None:
        yield _("created, limit {limit:,}").format(limit=version.limit)
        return
    if before["label"] != version.label:
        yield _("label {before} → {after}").format(before=before["label"], after=version.label)
    if before["limit"] != version.limit:
        yield _("limit {before:,} → {after:,}").format(before=before["limit"], after=version.limit)
    if before["read_only"] != version.read_only:
        yield _("read only") if version.read_only else _("no longer read only")
    if before["description"] != version.description:
        yield _("description changed")
