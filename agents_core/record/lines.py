"""Which parts of an agent's stream led to where it stands: it has gone back, and what came after then is on a branch that it has left.

A line is a list of (first, last) numbers of events, in order. Each thread of an agent has its own.
"""

from collections.abc import Sequence
from functools import reduce
from operator import or_

from django.db.models import Exists, OuterRef, Q

from agents_core.models import Branch, Cause, Run, Step

Line = Sequence[tuple[int, int]]

OPEN = 2**62
"""Where a line ends that is still growing."""


def current_line(agent_id: str, conversation_id: str | None) -> Line:
    """The line of a thread as it stands."""
    left = _branches(agent_id, conversation_id)
    return onward(left[0]) if left else [(0, OPEN)]


def onward(branch: Branch) -> Line:
    """The line on which the agent went on when it left a branch."""
    return [*_line(branch.base), (branch.seq + 1, OPEN)]


def line_to(agent_id: str, conversation_id: str | None, seq: int) -> Line:
    """The line that leads to an event: the current one if it is on that, else of the branch that was left last, cut there."""
    left = _branches(agent_id, conversation_id)
    lines = [onward(left[0]) if left else [(0, OPEN)], *(_line(branch.line) for branch in left)]
    leading = next((line for line in lines if holds(line, seq)), lines[0])
    return cut(leading, seq)


def cut(line: Line, seq: int) -> Line:
    """What of a line is not after an event."""
    return [(first, min(last, seq)) for first, last in line if first <= seq]


def holds(line: Line, seq: int) -> bool:
    return any(first <= seq <= last for first, last in line)


def has_step(line: Line, seq: int) -> bool:
    """Whether a step is on the line that began with the event ``seq``: one to just before which the agent went back is not."""
    return any(first <= seq < last for first, last in line)


def left_steps(steps: Sequence[Step]) -> list[Step]:
    """Those of an agent's steps that are on a branch that it has left."""
    if not steps or not Branch.objects.filter(agent=steps[0].agent_id).exists():
        return []
    lines = _lines(steps[0].agent_id, {step.conversation_id for step in steps})
    return [step for step in steps if step.seq is not None and not has_step(lines[step.conversation_id], step.seq)]


def left_numbers(agent_id: str) -> list[int]:
    """The numbers of all steps of an agent that are on a branch that it has left."""
    if not Branch.objects.filter(agent=agent_id).exists():
        return []
    taken = Step.objects.filter(agent=agent_id).order_by().values_list("number", "seq", "conversation")
    lines = _lines(agent_id, {thread for _, _, thread in taken})
    return [number for number, seq, thread in taken if seq is not None and not has_step(lines[thread], seq)]


def past(agent_id: str) -> Q:
    """Which of an agent's steps are on no branch that it has left."""
    found = Q()
    for thread in set(Branch.objects.filter(agent=agent_id).order_by().values_list("conversation", flat=True)):
        parts = (Q(seq__gte=first, seq__lt=last) for first, last in current_line(agent_id, thread))
        own = reduce(or_, parts, Q(seq=None))
        found &= own | (~Q(conversation=thread) if thread else Q(conversation__isnull=False))
    return found


def newest_run(agent_id: str) -> Run | None:
    """The newest run of an agent that is not wholly on a branch that it has left."""
    runs = Run.objects.filter(agent=agent_id).order_by("-first_seq")
    if not Branch.objects.filter(agent=agent_id).exists():
        return runs.first()
    steps = Step.objects.filter(run=OuterRef("pk"))
    return runs.filter(Exists(steps.filter(past(agent_id))) | ~Exists(steps)).first()


def moved_since(step: Step) -> Branch | None:
    """The branch that a step's thread left after it and did not come back to: what its agent knows now did not follow from the step."""
    until = OPEN
    for branch in _branches(step.agent_id, step.conversation_id):
        if step.seq is None or branch.seq < step.seq:
            return None
        if branch.seq >= until:
            continue
        if branch.cause != Cause.COME_BACK or branch.target is None:
            return branch
        until = branch.target.seq
    return None


def _lines(agent_id: str, threads: set[str | None]) -> dict[str | None, Line]:
    return {thread: current_line(agent_id, thread) for thread in threads}


def _branches(agent_id: str, conversation_id: str | None) -> list[Branch]:
    left = Branch.objects.filter(agent=agent_id, conversation=conversation_id)
    kept = ("state", "digest", "target__state", "target__digest")
    return list(left.select_related("target").defer(*kept).order_by("-seq"))


def _line(stored: list[list[int]]) -> Line:
    return [(first, last) for first, last in stored]
