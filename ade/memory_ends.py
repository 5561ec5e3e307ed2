"""Core memory at the end of a branch, beside that at the end of the recorded tail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agents_core.actions.tail import steps_from
from agents_core.models import Block, Comparison, Step
from agents_core.record.diff import Change, diff_words
from agents_core.record.kept import kept_blocks
from agents_core.record.states import state_at, state_now


@dataclass(frozen=True, slots=True)
class BlockEnd:
    """A block at the end. ``status``: "same", "changed", "lost" or "new"; ``changes`` are the words, ``lines`` how many lines differ."""

    label: str
    status: str
    changes: Sequence[Change] = ()
    lines: int = 0


@dataclass(frozen=True, slots=True)
class MemoryEnd:
    blocks: Sequence[BlockEnd]

    @property
    def words(self) -> str:
        """How it differs, as a cell of a table says it."""
        lost = sum(block.status == "lost" for block in self.blocks)
        new = sum(block.status == "new" for block in self.blocks)
        lines = sum(block.lines for block in self.blocks if block.status == "changed")
        told = [
            *([ngettext("{lines} line", "{lines} lines", lines).format(lines=lines)] if lines else []),
            *([_("{count} lost").format(count=lost)] if lost else []),
            *([_("{count} new").format(count=new)] if new else []),
        ]
        return ", ".join(told) or "="

    @property
    def tone(self) -> str:
        if any(block.status == "lost" for block in self.blocks):
            return "bad"
        return "warn" if self.words != "=" else ""


def recorded_end(comparison: Comparison) -> dict[str, str]:
    """The texts by label at the end of the tail: as the step after it found them, or as they are."""
    last = Step.objects.get(agent=comparison.agent_id, number=comparison.to_step)
    following = next((step for step in steps_from(last) if step.number > last.number), None)
    if following is None:
        return {version.label: version.value for version in kept_blocks(state_now(last.agent_id, last.conversation_id))}
    return {version.label: version.value for version in kept_blocks(state_at(last.agent_id, following.number))}


def end_of(fork_id: str) -> dict[str, str]:
    held = Block.objects.filter(agent_links__agent=fork_id).order_by("agent_links__id")
    return dict(held.values_list("label", "value"))


def memory_end(recorded: Mapping[str, str], branch: Mapping[str, str]) -> MemoryEnd:
    labels = [*recorded, *(label for label in branch if label not in recorded)]
    return MemoryEnd([_block(label, recorded.get(label), branch.get(label)) for label in labels])


def _block(label: str, recorded: str | None, branch: str | None) -> BlockEnd:
    if recorded == branch:
        return BlockEnd(label, "same")
    status = "lost" if branch is None else "new" if recorded is None else "changed"
    changes = diff_words(recorded or "", branch or "", around=60)
    return BlockEnd(label, status, changes, _lines(recorded or "", branch or ""))


def _lines(old: str, new: str) -> int:
    """How many lines stand in one only."""
    before, after = set(old.splitlines()), set(new.splitlines())
    return max(len(before - after), len(after - before))
