"""Comparing: the tail of an agent's history lived again in up to eight branches, each with another model, prompt or memory.

A branch is a hidden fork to which the same messages are sent again, as runs through the ordinary queue. What would reach outside is
answered from the record (``runtime.replay``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from agents_core.actions import adopting, blocks, deletions, forks, runs
from agents_core.actions.model_choice import check_handle
from agents_core.actions.tail import MOST_STEPS, Tail, tail_of
from agents_core.errors import Conflict, InvalidInput, NotFound, Refused
from agents_core.llm.catalog import cost_usd
from agents_core.llm.types import Usage
from agents_core.models import ACTIVE, Agent, Author, Block, Comparison, Run, Step, Variant, new_id
from agents_core.models.pipeline import run_sync
from agents_core.queue.requests import Input, RunOptions, queued_run
from agents_core.runtime.preview import Changes

MOST_BRANCHES = 8
_LETTERS = "ABCDEFGHI"


@dataclass(frozen=True, slots=True)
class Proposed:
    """A branch to be. ``label``: what people call it; made from what it changes unless given."""

    changes: Changes
    label: str = ""


def letter(position: int) -> str:
    """The letter of a branch; A is the recorded tail."""
    return _LETTERS[position]


def create(agent_id: str, from_step: int, proposed: Sequence[Proposed] = ()) -> Comparison:
    """A comparison of the tail that begins with the step, with its first branches; none of them runs yet.

    Raises ``NotFound`` for the step, ``Refused`` for one that did not ask the agent's model, and as ``add``.
    """
    tail = tail_of(agent_id, from_step)
    with transaction.atomic():
        comparison = Comparison.objects.create(
            agent_id=agent_id, from_step=from_step, to_step=tail.last_step, inputs=tail.inputs
        )
        _add(comparison, proposed)
    return comparison


def get(agent_id: str, comparison_id: str) -> Comparison:
    """Raises ``NotFound``."""
    found = Comparison.objects.filter(agent=agent_id, id=comparison_id).select_related("agent").first()
    if found is None:
        raise NotFound("This agent has no such comparison: it may have been deleted.")
    return found


def _locked(agent_id: str, comparison_id: str) -> Comparison:
    found = Comparison.objects.select_for_update().filter(agent=agent_id, id=comparison_id).first()
    if found is None:
        raise NotFound("This agent has no such comparison: it may have been deleted.")
    return found


def add(agent_id: str, comparison_id: str, proposed: Sequence[Proposed]) -> list[Variant]:
    """Adds branches, which do not run yet.

    Raises ``NotFound``; ``Refused`` beyond eight and for a malformed model handle; ``UnknownModel``; ``InvalidInput`` for a block that
    the agent had not at the first step, or a text that it cannot hold.
    """
    with transaction.atomic():
        return _add(_locked(agent_id, comparison_id), proposed)


def _add(comparison: Comparison, proposed: Sequence[Proposed]) -> list[Variant]:
    taken = list(comparison.variants.values_list("position", flat=True))
    free = [position for position in range(1, MOST_BRANCHES + 1) if position not in taken]
    if len(proposed) > len(free):
        raise Refused(
            f"A comparison has at most {MOST_BRANCHES} branches: {len(taken)} are there, and {len(proposed)} more are too many."
        )
    limits = {block.label: block.limit for block in Block.objects.filter(agent_links__agent=comparison.agent_id)}
    for each in proposed:
        _check(each.changes, limits)
    return [
        Variant.objects.create(
            comparison=comparison,
            position=position,
            label=each.label.strip()[:80] or label_of(each.changes),
            changes=_stored(each.changes),
        )
        for position, each in zip(free, proposed, strict=False)
    ]


def _check(changes: Changes, limits: dict[str, int]) -> None:
    if changes.attach or changes.detach or changes.settings:
        raise Refused(
            "A branch differs in its model, its instructions and the texts of its blocks, and in nothing else."
        )
    if changes.model:
        check_handle(changes.model)
    for label, value in changes.blocks.items():
        if value is not None and len(value) > limits.get(label, len(value)):
            raise InvalidInput(f"{label} may hold {limits[label]:,} characters: {len(value):,} are too many.")


def label_of(changes: Changes) -> str:
    """What a branch changes, in few words."""
    words = [
        *([changes.model] if changes.model else []),
        *(["other instructions"] if changes.system is not None else []),
        *(f"without {label}" if value is None else f"other {label}" for label, value in changes.blocks.items()),
    ]
    return ", ".join(words) or "the same again"


def _stored(changes: Changes) -> dict[str, Any]:
    kept = {"model": changes.model, "system": changes.system, "blocks": dict(changes.blocks)}
    return {name: value for name, value in kept.items() if value not in (None, {})}


# --- running ---------------------------------------------------------------------------------------------------------


def run(agent_id: str, comparison_id: str) -> list[Variant]:
    """Forks each branch that has not run yet, and queues its runs; gives those branches. Raises ``NotFound``, and as ``forks.fork``."""
    started = []
    waiting = get(agent_id, comparison_id).variants.filter(run_ids=[]).values_list("id", flat=True)
    for variant_id in list(waiting):
        with transaction.atomic():
            comparison = _locked(agent_id, comparison_id)
            variant = comparison.variants.filter(id=variant_id, run_ids=[]).first()
            if variant is not None:
                _start(comparison, variant)
                started.append(variant)
    return started


def _start(comparison: Comparison, variant: Variant) -> None:
    changes = Changes(**variant.changes)
    made = forks.fork(
        comparison.agent_id,
        comparison.from_step,
        name=f"branch {letter(variant.position)} of step {comparison.from_step}",
        model=changes.model,
        system=changes.system,
        blocks={label: value for label, value in changes.blocks.items() if value is not None},
        hidden=True,
        author=Author.PERSON,
    )
    _leave_out(made, [label for label, value in changes.blocks.items() if value is None])
    Block.objects.filter(agent_links__agent=made).update(hidden=True)
    variant.fork, variant.first_step = made, made.step_count + 1
    variant.run_ids = [_queue(made, comparison, changes, asked) for asked in comparison.inputs]
    variant.save(update_fields=["fork", "first_step", "run_ids"])


def _leave_out(made: Agent, labels: Iterable[str]) -> None:
    for label in labels:
        block = Block.objects.filter(agent_links__agent=made, label=label).first()
        if block is None:
            raise InvalidInput(f"The agent had no block labelled {label} there.")
        blocks.detach(made.id, block.id, Author.PERSON)
        block.delete()


def _queue(made: Agent, comparison: Comparison, changes: Changes, asked: dict[str, Any]) -> str:
    options = RunOptions(
        max_steps=asked["most_steps"],
        override_model=None if changes.model else asked.get("override_model"),
        override_system=None if changes.system is not None else asked.get("override_system"),
        client_tools=asked.get("client_tools", ()),
    )
    inputs = [Input(**message) for message in asked["messages"]]
    request = {
        "compared": {"agent_id": comparison.agent_id, "from_step": comparison.from_step},
        "calls_made": asked["calls_made"],
    }
    run_id = new_id("run")
    run_sync(queued_run(made.id, inputs, run_id, options=options, request=request, background=True).all)
    return run_id


def estimate_usd(comparison: Comparison) -> float | None:
    """What the branches that have not run yet will cost if they go as the recorded tail did; None where a price is not known."""
    tail = tail_of(comparison.agent_id, comparison.from_step)
    costs = [_cost(tail, variant) for variant in comparison.variants.filter(run_ids=[])]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if costs and len(known) == len(costs) else None


def _cost(tail: Tail, variant: Variant) -> float | None:
    costs = [
        cost_usd(variant.changes.get("model", step.handle), Usage(step.prompt_tokens, step.completion_tokens))
        for step in tail.steps
    ]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


def cancel(agent_id: str, comparison_id: str) -> list[str]:
    """Asks all runs of all branches to stop; gives the ids of the agents that had one. Raises ``NotFound``, ``Conflict`` without one."""
    comparison = get(agent_id, comparison_id)
    working = list(
        Run.objects.filter(agent__variant_of__comparison=comparison, status__in=ACTIVE)
        .values_list("agent", flat=True)
        .distinct()
    )
    if not working:
        raise Conflict("No branch is running, so there is nothing to stop.")
    for fork_id in working:
        runs.cancel(fork_id)
    return working


# --- what becomes of them --------------------------------------------------------------------------------------------


def _variant(comparison: Comparison, variant_id: str) -> Variant:
    variant = comparison.variants.filter(id=variant_id).first()
    if variant is None:
        raise NotFound("The comparison has no such branch: it may have been taken away.")
    return variant


def adopt(agent_id: str, comparison_id: str, variant_id: str) -> None:
    """Makes a branch the agent. Its own present is kept, and it can come back to it.

    Raises ``NotFound``, ``Refused`` for a branch that has not run, ``Conflict`` while the branch or the agent is at work.
    """
    with transaction.atomic():
        comparison = _locked(agent_id, comparison_id)
        variant = _variant(comparison, variant_id)
        if variant.fork_id is None:
            raise Refused("Run the branch first: it is nothing yet that the agent could become.")
        adopting.adopt(agent_id, variant.fork_id, author=Author.PERSON)
        variant.adopted_at = timezone.now()
        variant.save(update_fields=["adopted_at"])


def remove(agent_id: str, comparison_id: str, variant_id: str) -> None:
    """Takes a branch away, with the agent that lived in it. Raises ``NotFound``."""
    with transaction.atomic():
        variant = _variant(_locked(agent_id, comparison_id), variant_id)
        fork_id = variant.fork_id
        variant.delete()
        if fork_id:
            deletions.delete_fork(fork_id)


def delete(agent_id: str, comparison_id: str) -> None:
    """Takes the comparison away, with the agents that lived in its branches. Raises ``NotFound``."""
    with transaction.atomic():
        comparison = _locked(agent_id, comparison_id)
        fork_ids = [variant.fork_id for variant in comparison.variants.all() if variant.fork_id]
        comparison.delete()
        for fork_id in fork_ids:
            deletions.delete_fork(fork_id)


def steps_of(variant: Variant) -> list[Step]:
    """The steps that a branch has taken, at most as many as are compared."""
    own = Step.objects.filter(agent=variant.fork_id, number__gte=variant.first_step, kind="agent")
    return list(own.order_by("number")[:MOST_STEPS]) if variant.fork_id else []
