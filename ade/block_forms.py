"""What a person writes into a block, and the same block changed by somebody else meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from ade.hunks import FieldView, HunkView, chosen_of, hunk_views, mark_of
from agents_core.errors import InvalidInput
from agents_core.memory.blocks import VERSIONED
from agents_core.memory.causes import Cause, causes
from agents_core.memory.merge import clashing_fields, hunks, merge_fields
from agents_core.models import Block, BlockVersion
from agents_core.record.diff import Change, diff_words

LARGEST_LIMIT = 10_000_000
_AROUND_CHARS = 60
_WORDS = {
    "label": gettext_noop("label"),
    "value": gettext_noop("text"),
    "description": gettext_noop("description"),
    "limit": gettext_noop("limit"),
    "read_only": gettext_noop("read only"),
}


class _Lines(forms.CharField):
    """A text with its line ends as the agent sees them: a browser sends two characters for each."""

    def __init__(self, **options: Any) -> None:
        super().__init__(strip=False, required=False, **options)

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value) or "").replace("\r\n", "\n")


class BlockForm(forms.Form):
    """``changes`` is what ``actions.blocks.modify`` and ``create`` take."""

    label = forms.CharField(max_length=200, error_messages={"required": gettext_lazy("A block needs a label.")})
    value = _Lines()
    description = forms.CharField(required=False, max_length=5000)
    limit = forms.IntegerField(
        min_value=1,
        max_value=LARGEST_LIMIT,
        error_messages={
            "required": gettext_lazy("Give the limit: how many characters the block may hold."),
            "invalid": gettext_lazy("The limit is a whole number of characters."),
            "min_value": gettext_lazy("The limit is at least one character."),
            "max_value": format_lazy(gettext_lazy("The limit is at most {most:,} characters."), most=LARGEST_LIMIT),
        },
    )
    read_only = forms.BooleanField(required=False)
    review = forms.BooleanField(required=False)
    was_review = forms.BooleanField(required=False)

    def changes(self) -> dict[str, Any]:
        """Raises ``InvalidInput`` with what to do instead. Without ``review``, which no version tells of, unless it is changed here."""
        if not self.is_valid():
            raise InvalidInput(" ".join(str(error) for errors in self.errors.values() for error in errors))
        given = {**self.cleaned_data, "description": self.cleaned_data["description"] or None}
        if given["review"] == given.pop("was_review"):
            del given["review"]
        return given


def version_in(given: QueryDict, name: str = "version") -> int:
    """The version that a form was made from. Raises ``InvalidInput``."""
    text = given.get(name, "")
    if not text.isdecimal() or len(text) > 9:
        raise InvalidInput(_("The form does not say which version it was made from: load the page again."))
    return int(text)


@dataclass(frozen=True, slots=True)
class BlockConflict:
    """``theirs`` and ``mine`` tell how the text of version ``base`` was changed; ``seen`` is the version that stands now, ``newest``.

    ``others`` names the other fields that they changed, ``fields`` those that both changed. ``merged`` holds the fields with both changes
    as far as was chosen, None while something is left to choose; ``merged_changes`` tells both.
    """

    base: int
    seen: int
    newest: BlockVersion
    cause: Cause | None
    theirs: list[Change]
    mine: list[Change]
    others: list[str]
    hunks: list[HunkView]
    fields: list[FieldView]
    mark: str
    merged: dict[str, Any] | None
    merged_changes: list[Change]

    @property
    def has_mine(self) -> bool:
        return any(change.op != "same" for change in self.mine)

    @property
    def clashes(self) -> bool:
        """Whether anything was changed in two ways, chosen between or not."""
        return bool(self.fields) or any(view.hunk.clashes for view in self.hunks)

    @property
    def left(self) -> int:
        """How many places are left to choose."""
        return sum(
            chosen is None for chosen in [view.chosen for view in self.hunks] + [view.chosen for view in self.fields]
        )


def conflict_of(
    block: Block, base: int, draft: Mapping[str, Any], given: Mapping[str, str] | None = None
) -> BlockConflict | None:
    """What stands between ``draft``, made from version ``base``, and the block; None when the draft says what the block says.

    ``given``: the form, with what was chosen in a card that was drawn from the same three texts.
    """
    draft = {name: value for name, value in draft.items() if name in VERSIONED}
    now = {name: getattr(block, name) for name in VERSIONED}
    if base == block.version or all(now[name] == value for name, value in draft.items()):
        return None
    found = BlockVersion.objects.filter(block=block, version__in=[base, block.version]).select_related("step", "agent")
    versions = {version.version: version for version in found}
    if base not in versions:
        raise InvalidInput(_("The block has no version {base}: load the page again.").format(base=base))
    before = {name: getattr(versions[base], name) for name in VERSIONED}
    newest = versions[block.version]
    mark = mark_of(before["value"], block.value, draft["value"])
    chosen = given if given and given.get("hunks") == mark else {}
    views = hunk_views(hunks(before["value"], block.value, draft["value"]), chosen)
    fields = [
        FieldView(name, _(_WORDS[name]), *both, chosen_of(chosen, f"field-{name}"))
        for name, both in clashing_fields(before, now, draft).items()
    ]
    told = {view.name: view.chosen for view in fields if view.chosen}
    merged = merge_fields(before, now, draft, [view.chosen for view in views], told)
    return BlockConflict(
        base,
        block.version,
        newest,
        causes([newest.step]).get(newest.step_id or ""),
        diff_words(before["value"], block.value, around=_AROUND_CHARS),
        diff_words(before["value"], draft["value"], around=_AROUND_CHARS),
        [_(_WORDS[name]) for name in VERSIONED if name != "value" and now[name] != before[name]],
        views,
        fields,
        mark,
        merged,
        diff_words(before["value"], merged["value"], around=_AROUND_CHARS) if merged else [],
    )
