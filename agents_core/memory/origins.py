"""Origins: who wrote each sentence of a block, at which step, and the message that made them."""

from dataclasses import dataclass

from agents_core.memory.blame import Blamed, blame
from agents_core.memory.causes import Cause, causes
from agents_core.models import Block, BlockVersion

WALKED = 2_000
"""The newest versions that blame walks through: what is older is blamed on the first of them."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A sentence and the version that brought it, with its author, agent and step; ``cause``: the message that the step answered.

    ``or_before``: the version is the first that was looked at, so that an older one may have brought it.
    """

    sentence: Blamed
    version: BlockVersion
    cause: Cause | None
    or_before: bool = False


def origins(block: Block) -> list[Origin]:
    """The sentences of the block in their order, those of blanks alone left out."""
    newest = BlockVersion.objects.filter(block=block).order_by("-version")
    rows = list(newest.values_list("version", "value", "restored")[:WALKED])[::-1]
    restored = {number: of for number, _, of in rows if of is not None}
    blamed = [row for row in blame(((number, value) for number, value, _ in rows), restored) if row.text.strip()]
    authors = newest.filter(version__in={row.version for row in blamed}).select_related("step", "agent")
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
