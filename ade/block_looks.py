"""A block looked into: who wrote each sentence and why, its versions and the way between any two of them, what is certainly wrong with it,
and what was proposed for it."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from ade.address import query
from ade.proposals import history
from ade.versions import comparison, version_views
from agents_core.memory.findings import Finding, findings
from agents_core.memory.origins import Origin, origins
from agents_core.models import Block, BlockVersion

PAGE = 50
VIEWS = ("blame", "versions", "findings", "proposals")
PARAMS = ("view", "versions_before", "from", "to")


def view_of(params: Mapping[str, str]) -> str:
    """The view that an address names, else the first."""
    return params["view"] if params.get("view") in VIEWS else VIEWS[0]


def look(block: Block, params: Mapping[str, str], others: Sequence[Block] = ()) -> dict[str, Any]:
    """What ``_block_look.html`` draws of the block, besides where it is drawn.

    Args:
        params: ``view`` of ``VIEWS``; ``versions_before`` is the version before which a page begins; ``from`` and ``to`` are compared.
        others: blocks in the same context, which may say the same.
    """
    view = view_of(params)
    found = _findings(block, others)
    shown = {"blame": _sentences, "versions": _versions, "proposals": _proposals}.get(view)
    return {
        "looked": block,
        "view": view,
        "views": VIEWS,
        "own_params": query({**params, "view": view}, PARAMS),
        "counts": {"versions": block.version, "findings": len(found), "proposals": block.proposals.count()},
        "findings": found,
        **(shown(block, params) if shown else {}),
    }


def _sentences(block: Block, _: Mapping[str, str]) -> dict[str, Any]:
    """Neighbours that one version brought say only once why."""
    found = origins(block)
    next_ones: list[Origin | None] = [after for _, after in pairwise(found)]
    return {
        "sentences": [
            {"origin": origin, "says_why": after is None or after.version != origin.version}
            for origin, after in zip(found, [*next_ones, None], strict=False)
        ]
    }


def _versions(block: Block, params: Mapping[str, str]) -> dict[str, Any]:
    versions = BlockVersion.objects.filter(block=block).order_by("-version")
    if (before := params.get("versions_before", "")).isdecimal():
        versions = versions.filter(version__lt=int(before[:9]))
    found = version_views(versions[: PAGE + 1])
    first, second = params.get("from", ""), params.get("to", "")
    return {
        "versions": found[:PAGE],
        "older": found[PAGE - 1].version.version if len(found) > PAGE else None,
        "comparison": comparison(block, first, second) if first or second else None,
    }


def _proposals(block: Block, _: Mapping[str, str]) -> dict[str, Any]:
    return {"proposals": history(block, PAGE)}


def _findings(block: Block, others: Sequence[Block]) -> list[Finding]:
    texts = {other.label: other.value for other in others if other.id != block.id}
    return findings(block.label, block.value, block.limit, texts)
