"""Time travel: forks of agents, rewinds, and the branches that agents have left."""

from django.http import HttpRequest, HttpResponse
from ninja import Router

from agents_core.actions import adopting, agents, forks, rewind
from agents_core.api.agent_states import EVERYTHING, state
from agents_core.api.ids import AgentId
from agents_core.api.reply import reply
from agents_core.api.schemas.agents import AgentState
from agents_core.api.schemas.branches import (
    Adoption,
    BranchesResponse,
    BranchResponse,
    ForkCreate,
    ForkResponse,
    Move,
    Rewind,
)
from agents_core.errors import NotFound
from agents_core.memory.digest import state_digest
from agents_core.models import Branch, Conversation, Fork

agent_router = Router(tags=["branches"])


@agent_router.post("/{agent_id}/fork", response=AgentState)
def fork_agent(request: HttpRequest, agent_id: AgentId, body: ForkCreate) -> HttpResponse:
    thread = body.conversation_id
    if thread and not Conversation.objects.filter(pk=thread, agent=agent_id).exists():
        raise NotFound(f"The agent has no conversation {thread}.")
    changes = body.model_dump(include={"conversation_id", "name", "model", "system", "blocks", "hidden"})
    return reply(state(forks.fork(agent_id, body.step, **changes), EVERYTHING))


@agent_router.post("/{agent_id}/rewind", response=BranchResponse)
def rewind_agent(request: HttpRequest, agent_id: AgentId, body: Rewind) -> HttpResponse:
    return reply(BranchResponse.of(rewind.rewind(agent_id, body.step, name=body.name, shared=body.shared)))


@agent_router.post("/{agent_id}/adopt", response=BranchResponse)
def adopt_fork(request: HttpRequest, agent_id: AgentId, body: Adoption) -> HttpResponse:
    return reply(BranchResponse.of(adopting.adopt(agent_id, body.fork_id, name=body.name, shared=body.shared)))


@agent_router.post("/{agent_id}/branches/{branch_id}/come-back", response=BranchResponse)
def come_back(request: HttpRequest, agent_id: AgentId, branch_id: str, body: Move | None = None) -> HttpResponse:
    how = body or Move()
    return reply(BranchResponse.of(rewind.come_back(agent_id, branch_id, name=how.name, shared=how.shared)))


@agent_router.get("/{agent_id}/branches", response=BranchesResponse)
def list_branches(request: HttpRequest, agent_id: AgentId) -> HttpResponse:
    """The branches and forks, newest first."""
    agents.get(agent_id)
    origin = Fork.objects.filter(agent=agent_id).first()
    return reply(
        BranchesResponse(
            digest=state_digest(agent_id),
            origin=ForkResponse.of(origin) if origin else None,
            forks=[ForkResponse.of(each) for each in Fork.objects.filter(parent=agent_id).order_by("-created_at")],
            branches=[BranchResponse.of(each) for each in Branch.objects.filter(agent=agent_id).order_by("-seq")],
        )
    )
