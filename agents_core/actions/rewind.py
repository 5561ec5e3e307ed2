"""Going back: an agent becomes again what it was just before a step, or on a branch that it has left. Its present is kept first."""

from django.db import transaction

from agents_core.actions.agents import locked
from agents_core.actions.moving import move
from agents_core.errors import Conflict, InvalidInput, NotFound
from agents_core.events.publish import lock_agents, publish
from agents_core.events.types import AgentCameBack, AgentRewound
from agents_core.memory.digest import state_digest
from agents_core.models import (
    ACTIVE,
    Agent,
    AgentArchive,
    AgentBlock,
    Author,
    Branch,
    Cause,
    Run,
    RunStatus,
    Step,
    ToolCall,
    ToolCallStatus,
)
from agents_core.models.pipeline import run_sync
from agents_core.record.lines import Line, current_line, cut, has_step, line_to
from agents_core.record.states import AgentState, state_at, state_now

NAME_CHARS = 200


def rewind(
    agent_id: str, step_number: int, *, name: str | None = None, shared: bool = False, author: Author = Author.API
) -> Branch:
    """Takes the agent back to just before the model call of its step, memory included; gives the branch that its present is kept as.

    Args:
        name: of that branch.
        shared: also blocks and archives that other agents hold go back.

    Raises ``NotFound``; ``Conflict`` while the agent is at work or waits for somebody; ``Refused`` as ``record.states.state_at``;
    ``InvalidInput`` for a name that is too long.
    """
    with transaction.atomic():
        state = state_at(agent_id, step_number)
        agent = _idle(agent_id, state, shared=shared)
        line = line_to(agent_id, state.conversation_id, state.seq)
        branch = keep_present(agent, state.conversation_id, Cause.REWIND, line, author, name, step_number=step_number)
        move(agent, state, line, branch, author, shared=shared)
        publish(agent_id, AgentRewound(branch.id, step_number))
    return branch


def come_back(
    agent_id: str, branch_id: str, *, name: str | None = None, shared: bool = False, author: Author = Author.API
) -> Branch:
    """Brings the agent back to what it was when it left a branch; gives the branch that its present is kept as. Raises as ``rewind``."""
    with transaction.atomic():
        target = get_branch(agent_id, branch_id)
        state = AgentState.read(target.state)
        agent = _idle(agent_id, state, shared=shared)
        line: Line = [(first, last) for first, last in target.line]
        branch = keep_present(agent, state.conversation_id, Cause.COME_BACK, line, author, name, target=target)
        move(agent, state, line, branch, author, shared=shared)
        publish(agent_id, AgentCameBack(branch.id, target.id))
    return branch


def get_branch(agent_id: str, branch_id: str) -> Branch:
    """Raises ``NotFound``, also for a branch of another agent."""
    branch = Branch.objects.filter(pk=branch_id, agent=agent_id).first()
    if branch is None:
        raise NotFound(f"The agent has no branch {branch_id}.")
    return branch


def _idle(agent_id: str, state: AgentState, *, shared: bool) -> Agent:
    if shared:
        run_sync([lock_agents([agent_id, *other_holders(state)])])
    agent = locked(agent_id)
    refuse_at_work(agent_id)
    return agent


def other_holders(state: AgentState) -> list[str]:
    """The agents that hold a block or an archive of the state beside its own."""
    blocks = AgentBlock.objects.filter(block__in=[block_id for block_id, *_ in state.world.blocks])
    archives = AgentArchive.objects.filter(archive__in=[archive_id for archive_id, _ in state.world.archives])
    held = {*blocks.values_list("agent_id", flat=True), *archives.values_list("agent_id", flat=True)}
    return sorted(held - {state.agent_id})


def refuse_at_work(agent_id: str) -> None:
    """Raises ``Conflict`` while the agent has a run that goes on or is queued, or a call that waits for somebody."""
    run = Run.objects.filter(agent=agent_id, status__in=ACTIVE).first()
    if run is not None:
        stands = run.status == RunStatus.PAUSED
        does = "stands at a breakpoint: let it go on" if stands else "is at work: wait until its run has ended"
        raise Conflict(f"The agent {does}, or cancel the run, and try again.", run_id=run.id)
    waiting = (ToolCallStatus.AWAITING, ToolCallStatus.HELD)
    call = ToolCall.objects.filter(agent=agent_id, status__in=waiting).first()
    if call is not None:
        raise Conflict(
            f"The agent waits for an answer to its call of {call.name}: approve, deny or abandon it, and try again.",
            call_id=call.call_id,
        )


def keep_present(
    agent: Agent,
    conversation_id: str | None,
    cause: Cause,
    base: Line,
    author: Author,
    name: str | None,
    **about: object,
) -> Branch:
    """The branch that the locked agent leaves, to go on from the end of ``base``; ``about`` names where that is."""
    if name and len(name) > NAME_CHARS:
        raise InvalidInput(f"The name of a branch may have {NAME_CHARS} characters, and this has {len(name)}.")
    state = state_now(agent.id, conversation_id)
    line = cut(current_line(agent.id, conversation_id), state.seq)
    left = _left(agent.id, conversation_id, line, base)
    return Branch.objects.create(
        agent=agent,
        conversation_id=conversation_id,
        name=(name or "").strip() or f"Up to step {agent.step_count}",
        cause=cause,
        seq=state.seq,
        first_step=min(left, default=None),
        last_step=max(left, default=None),
        line=line,
        base=base,
        state=state.stored(),
        digest=bytes.fromhex(state_digest(agent.id, conversation_id)),
        author=author,
        **about,
    )


def _left(agent_id: str, conversation_id: str | None, line: Line, base: Line) -> list[int]:
    """The numbers of the steps that are on ``line`` and not on ``base``."""
    steps = Step.objects.filter(agent=agent_id, conversation=conversation_id, seq__isnull=False)
    return [
        number
        for number, seq in steps.values_list("number", "seq")
        if seq and has_step(line, seq) and not has_step(base, seq)
    ]
