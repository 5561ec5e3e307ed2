"""What going somewhere in an agent's time means, for the dialogs that ask before it is done."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from agents_core.actions import sleeptime
from agents_core.memory.archival import revisions
from agents_core.models import AgentArchive, AgentBlock, Archive, BlockVersion, Step
from agents_core.record.kept import kept_blocks, lost
from agents_core.record.lines import Line, current_line, has_step, line_to
from agents_core.record.states import AgentState


@dataclass(frozen=True, slots=True)
class Shared:
    """A block or an archive that others hold too: what it is, and the names of who holds it."""

    what: str
    holders: Sequence[str]


@dataclass(frozen=True, slots=True)
class Journey:
    """A state to go to. ``first`` to ``last``: the steps that would be left, None for none. ``lost``: what was deleted since."""

    state: AgentState
    blocks: Sequence[BlockVersion]
    passages: int
    lost: Sequence[str]
    shared: Sequence[Shared]
    first: int | None = None
    last: int | None = None

    @property
    def messages(self) -> int:
        return len(self.state.messages)

    @property
    def tools(self) -> int:
        return len(self.state.world.tools)


def journey(state: AgentState, line: Line | None = None) -> Journey:
    """The way to ``state``; with ``line``, the one that would be the agent's then, also what would be left."""
    there = Archive.objects.in_bulk([archive_id for archive_id, _ in state.world.archives])
    passages = sum(revisions.count(each, revision) for each, revision in state.world.archives if each in there)
    left = _left(state, line) if line is not None else []
    return Journey(
        state,
        kept_blocks(state),
        passages,
        lost(state),
        shared_with_others(state),
        min(left, default=None),
        max(left, default=None),
    )


def line_of(state: AgentState) -> Line:
    return line_to(state.agent_id, state.conversation_id, state.seq)


def _left(state: AgentState, line: Line) -> list[int]:
    now = current_line(state.agent_id, state.conversation_id)
    steps = Step.objects.filter(agent=state.agent_id, conversation=state.conversation_id)
    seqs = steps.values_list("number", "seq")
    return [number for number, seq in seqs if seq and has_step(now, seq) and not has_step(line, seq)]


def shared_with_others(state: AgentState) -> list[Shared]:
    """What of the state other agents hold too, those left out that tend its memory."""
    own = [state.agent_id, *sleeptime.companions(state.agent_id)]
    labels = {block_id: _("block {label}").format(label=label) for block_id, label, *rest in state.world.blocks}
    archives = dict(Archive.objects.filter(pk__in=[each for each, _ in state.world.archives]).values_list("id", "name"))
    blocks = AgentBlock.objects.filter(block__in=labels).exclude(agent__in=own).values_list("block", "agent__name")
    held = AgentArchive.objects.filter(archive__in=archives).exclude(agent__in=own)
    named: dict[str, list[str]] = {}
    for block_id, name in blocks:
        named.setdefault(labels[block_id], []).append(name)
    for archive_id, name in held.values_list("archive", "agent__name"):
        named.setdefault(_("archive “{name}”").format(name=archives[archive_id]), []).append(name)
    return [Shared(what, holders) for what, holders in named.items()]
