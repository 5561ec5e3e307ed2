"""The tail of an agent's history lived again in branches, and what becomes of them."""

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from agents_core.actions import comparisons
from agents_core.api.paging import page
from agents_core.api.reply import reply
from agents_core.api.schemas.comparisons import BranchesIn, ComparisonAnswer, ComparisonCreate, ComparisonFilter
from agents_core.errors import NotFound
from agents_core.models import Comparison

router = Router(tags=["comparisons"])


@router.post("/", response=ComparisonAnswer)
def create_comparison(request: HttpRequest, body: ComparisonCreate) -> HttpResponse:
    made = comparisons.create(body.agent_id, body.from_step, [each.proposed() for each in body.branches])
    if body.run:
        comparisons.run(body.agent_id, made.id)
    return reply(ComparisonAnswer.of(get(made.id)))


@router.get("/", response=list[ComparisonAnswer])
def list_comparisons(request: HttpRequest, query: Query[ComparisonFilter]) -> HttpResponse:
    rows = Comparison.objects.prefetch_related("variants")
    if query.agent_id is not None:
        rows = rows.filter(agent=query.agent_id)
    return reply([ComparisonAnswer.of(each) for each in page(rows, query)])


def get(comparison_id: str) -> Comparison:
    found = Comparison.objects.filter(pk=comparison_id).first()
    if found is None:
        raise NotFound(f"There is no comparison {comparison_id}.")
    return found


@router.get("/{comparison_id}", response=ComparisonAnswer)
def retrieve_comparison(request: HttpRequest, comparison_id: str) -> HttpResponse:
    return reply(ComparisonAnswer.of(get(comparison_id)))


@router.post("/{comparison_id}/branches", response=ComparisonAnswer)
def add_branches(request: HttpRequest, comparison_id: str, body: BranchesIn) -> HttpResponse:
    found = get(comparison_id)
    comparisons.add(found.agent_id, found.id, [each.proposed() for each in body.branches])
    if body.run:
        comparisons.run(found.agent_id, found.id)
    return reply(ComparisonAnswer.of(get(comparison_id)))


@router.post("/{comparison_id}/run", response=ComparisonAnswer)
def run_branches(request: HttpRequest, comparison_id: str) -> HttpResponse:
    """Runs the branches that have not run yet."""
    comparisons.run(get(comparison_id).agent_id, comparison_id)
    return reply(ComparisonAnswer.of(get(comparison_id)))


@router.post("/{comparison_id}/cancel", response=ComparisonAnswer)
def cancel_branches(request: HttpRequest, comparison_id: str) -> HttpResponse:
    comparisons.cancel(get(comparison_id).agent_id, comparison_id)
    return reply(ComparisonAnswer.of(get(comparison_id)))


@router.post("/{comparison_id}/branches/{branch_id}/adopt")
def adopt_branch(request: HttpRequest, comparison_id: str, branch_id: str) -> HttpResponse:
    """Makes the branch the agent."""
    comparisons.adopt(get(comparison_id).agent_id, comparison_id, branch_id)
    return reply({"success": True})


@router.delete("/{comparison_id}/branches/{branch_id}")
def remove_branch(request: HttpRequest, comparison_id: str, branch_id: str) -> HttpResponse:
    comparisons.remove(get(comparison_id).agent_id, comparison_id, branch_id)
    return reply({"success": True})


@router.delete("/{comparison_id}")
def delete_comparison(request: HttpRequest, comparison_id: str) -> HttpResponse:
    comparisons.delete(get(comparison_id).agent_id, comparison_id)
    return reply({"success": True})
