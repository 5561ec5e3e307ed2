"""Origins: who wrote each sentence of a block, at which step, and the message that made them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from agents_core.memory.blame import Blamed, blame
from agents_core.memory.causes import Cause, causes
from agents_core.models import Block, BlockVersion, Branch

WALKED = 2_000
"""The newest versions that blame walks through: what is older is blamed on the first of them."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A sentence and the version that brought it, with its author, agent and step; ``cause``: the message that the step answered.

    ``or_before``: the version is the first that was looked at, so that an older one may have brought it. ``adopted``: the version is
    of a fork, and the block has the sentence since the agent took that over, when it left this branch.
    """

    sentence: Blamed
    version: BlockVersion
    cause: Cause | None
    or_before: bool = False
    adopted: Branch | None = None


def origins(block: Block) -> list[Origin]:
    """The sentences of the block in their order, those of blanks alone left out."""
    found = _own(block)
    forks: dict[int, Mapping[str, Origin]] = {}
    for version in {origin.version.version: origin.version for origin in found}.values():
        if version.branch and version.branch.fork_id:
            forks[version.version] = _in_fork(version, version.branch.fork_id)
    return [_traced(origin, forks.get(origin.version.version, {})) for origin in found]


def _in_fork(version: BlockVersion, fork_id: str) -> Mapping[str, Origin]:
    """The sentences that a version took over from a fork's block, by their texts, but for those that the fork began with."""
    copied = Block.objects.filter(agent_links__agent=fork_id, label=version.label).first()
    found = _own(copied, version.created_at) if copied else []
    return {origin.sentence.text.strip(): origin for origin in found if origin.version.version > 1}


def _traced(origin: Origin, fork: Mapping[str, Origin]) -> Origin:
    there = fork.get(origin.sentence.text.strip())
    return replace(there, sentence=origin.sentence, adopted=origin.version.branch) if there else origin


def _own(block: Block, until: datetime | None = None) -> Sequence[Origin]:
    """By the block's own versions, those up to a time."""
    newest = BlockVersion.objects.filter(block=block).order_by("-version")
    if until:
        newest = newest.filter(created_at__lte=until)
    rows = list(newest.values_list("version", "value", "restored")[:WALKED])[::-1]
    restored = {number: of for number, _, of in rows if of is not None}
    blamed = [row for row in blame(((number, value) for number, value, _ in rows), restored) if row.text.strip()]
    authors = newest.filter(version__in={row.version for row in blamed}).select_related("step", "agent", "branch")
    versions = {version.version: version for version in authors}
    why = causes(version.step for version in versions.values())
    first = rows[0][0] if rows else 1
    return [
        Origin(
            row,
            versions[row.version],
            why.get(versions[row.version].step_id or ""),
            row.version == first > 1,
        )
        for row in blamed
    ]
