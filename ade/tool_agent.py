"""The agent of a run with mock inputs as a form, and what the run changed of its memory.

``agent.name``, ``agent.id`` and, once for each block, ``block.label`` and ``block.text`` are its fields; ``raw_agent`` holds all of them as
one JSON object instead. ``kept_agent`` carries that object while the source asks for no agent.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from django.http import QueryDict
from django.utils.translation import gettext as _

from ade.tool_inputs import read_json
from agents_core.actions.mock_agent import MockAgent
from agents_core.memory.edits import BlockLimitError, within_limit
from agents_core.models import Agent, Block
from agents_core.models.pipeline import storable
from agents_core.record.diff import Change, diff_words
from agents_core.sandbox.base import SandboxOutcome

MOST_BLOCKS = 100
LONGEST_NAME = 200
"""Characters of a name, an id and a label."""
_AROUND_CHARS = 80
_LIMIT = Block().limit
_SHAPE = (
    'Write a JSON object with "name" and "id", both texts, and "blocks", a list of objects with "label" and "value".'
)


@dataclass(slots=True)
class BlockRow:
    """A block as it is typed. ``focus``: the part of it where a person goes on."""

    label: str
    text: str
    label_error: str = ""
    text_error: str = ""
    focus: Literal["", "label", "remove"] = ""


@dataclass(slots=True)
class AgentInputs:
    """The form. ``raw`` is the JSON text where a person chose to write JSON, else None. ``emptied``: its last block was just removed."""

    name: str
    id: str
    rows: list[BlockRow]
    raw: str | None = None
    errors: dict[str, str] = field(default_factory=dict)
    emptied: bool = False

    @classmethod
    def of(cls, agent: MockAgent) -> Self:
        return cls(agent.name, agent.id, [BlockRow(label, text) for label, text in agent.blocks.items()])

    @classmethod
    def of_caller(cls, agent_id: str) -> Self:
        """The agent of that id with its blocks as they are now."""
        held = Block.objects.filter(agent_links__agent=agent_id).order_by("agent_links__id")
        agent = Agent.objects.only("name").get(id=agent_id)
        return cls(agent.name, agent_id, [BlockRow(block.label, block.value) for block in held])

    @classmethod
    def of_post(cls, post: QueryDict) -> Self:
        """As it was sent; the usual one where nothing was."""
        if "agent.name" in post:
            texts = zip(post.getlist("block.label"), post.getlist("block.text"), strict=False)
            rows = [BlockRow(_clean(label), _clean(text)) for label, text in texts]
            return cls(_clean(post.get("agent.name", "")), _clean(post.get("agent.id", "")), rows)
        sent = _clean(post.get("raw_agent", post.get("kept_agent", "")))
        try:
            made = cls._of_json(sent)
        except ValueError:
            made = cls.of(MockAgent())
        made.raw = (sent or made.kept) if "raw" in post else None
        return made

    @classmethod
    def _of_json(cls, text: str) -> Self:
        """Raises ``ValueError``, whose message says what to write."""
        match storable(read_json(text)):
            case {"name": str(name), "id": str(ref), "blocks": list(blocks), **others} if not others:
                return cls(name, ref, [_row(block) for block in blocks])
        raise ValueError(_SHAPE)

    @property
    def kept(self) -> str:
        """All of it as JSON."""
        if self.raw is not None:
            return self.raw
        blocks = [{"label": row.label, "value": row.text} for row in self.rows]
        return json.dumps({"name": self.name, "id": self.id, "blocks": blocks}, indent=2, ensure_ascii=False)

    def agent(self) -> MockAgent | None:
        """The agent meant; None where something is wrong, which then stands at its field."""
        try:
            meant = self if self.raw is None else self._of_json(self.raw)
        except ValueError as error:
            self.errors = {"raw": str(error)}
            return None
        if wrong := _told_wrong(meant):
            if self.raw is not None:
                self.errors = {"raw": " ".join(wrong)}
            return None
        return MockAgent(meant.name, meant.id, {row.label: row.text for row in meant.rows})

    def as_raw(self) -> Self:
        """The same as one JSON text."""
        self.raw = self.kept
        return self

    def as_form(self) -> Self:
        """The same as fields."""
        self.raw = None
        return self

    def with_row(self) -> Self:
        """With one more block, to be filled in."""
        self.rows.append(BlockRow("", "", focus="label"))
        return self

    def without_row(self, place: str) -> Self:
        """Without the block in that place, from 0, if there is one."""
        places = [str(number) for number in range(len(self.rows))]
        if place in places:
            del self.rows[places.index(place)]
            self.emptied = not self.rows
            for row in self.rows[places.index(place) :][:1] or self.rows[-1:]:
                row.focus = "remove"
        return self


def _row(block: Any) -> BlockRow:
    match block:
        case {"label": str(label), "value": str(text), **others} if not others:
            return BlockRow(label, text)
    raise ValueError(_SHAPE)


def _clean(text: str) -> str:
    """Browsers send line ends as CR LF."""
    return str(storable(text.replace("\r\n", "\n")))


def _told_wrong(inputs: AgentInputs) -> list[str]:
    """What is wrong, which is left at the fields too."""
    named = {"name": _wrong_name(inputs.name, _("a name")), "id": _wrong_name(inputs.id, _("an id"))}
    count = len(inputs.rows)
    many = (
        _("These are {count} blocks; a mock agent may have {most}.").format(count=count, most=MOST_BLOCKS)
        if count > MOST_BLOCKS
        else ""
    )
    inputs.errors = {name: error for name, error in {**named, "blocks": many}.items() if error}
    used = Counter(row.label for row in inputs.rows)
    for row in inputs.rows:
        twice = (
            _("Two blocks are labelled {label}: name one differently.").format(label=row.label)
            if used[row.label] > 1
            else ""
        )
        row.label_error = _wrong_name(row.label, _("a label")) or twice
        row.text_error = _wrong_text(row.text)
    at_rows = [error for row in inputs.rows for error in (row.label_error, row.text_error) if error]
    return list(dict.fromkeys([*inputs.errors.values(), *at_rows]))


def _wrong_name(text: str, what: str) -> str:
    if not text.strip():
        return _("Write {what}.").format(what=what)
    return (
        _("Write {what} of at most {most} characters.").format(what=what, most=LONGEST_NAME)
        if len(text) > LONGEST_NAME
        else ""
    )


def _wrong_text(text: str) -> str:
    return (
        _("The text has {count:,} characters; a block may have {limit:,}.").format(count=len(text), limit=_LIMIT)
        if len(text) > _LIMIT
        else ""
    )


@dataclass(frozen=True, slots=True)
class BlockChange:
    """What a run left in a block. ``refusal``: why a real agent's call would have failed."""

    label: str
    changes: list[Change]
    refusal: str


def block_changes(agent: MockAgent, outcome: SandboxOutcome) -> list[BlockChange]:
    """The blocks that the run changed."""
    return [_change(label, agent.blocks[label], str(storable(new))) for label, new in outcome.blocks.items()]


def _change(label: str, old: str, new: str) -> BlockChange:
    try:
        within_limit(new, _LIMIT)
    except BlockLimitError as error:
        return BlockChange(label, [], error.message)
    return BlockChange(label, diff_words(old, new, around=_AROUND_CHARS), "")
