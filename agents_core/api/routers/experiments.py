"""Recorded model calls made again another way, beside their agents."""

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from agents_core.actions import experiments
from agents_core.api.paging import page
from agents_core.api.reply import reply
from agents_core.api.routers.steps import get as get_step
from agents_core.api.schemas.experiments import ExperimentAnswer, ExperimentCreate, ExperimentFilter
from agents_core.errors import NotFound
from agents_core.models import Experiment
from agents_core.record.steps import request_bytes, response_bytes

router = Router(tags=["experiments"])


@router.post("/", response=ExperimentAnswer)
def create_experiment(request: HttpRequest, body: ExperimentCreate) -> HttpResponse:
    step = get_step(body.step_id)
    return reply(ExperimentAnswer.of(experiments.create(step.agent_id, step.number, body.changes.changes())))


@router.get("/", response=list[ExperimentAnswer])
def list_experiments(request: HttpRequest, query: Query[ExperimentFilter]) -> HttpResponse:
    rows = Experiment.objects.all()
    for name in ("agent_id", "step_id"):
        if (value := getattr(query, name)) is not None:
            rows = rows.filter(**{name: value})
    return reply([ExperimentAnswer.of(each) for each in page(rows, query)])


def get(experiment_id: str) -> Experiment:
    experiment = Experiment.objects.select_related("response").filter(pk=experiment_id).first()
    if experiment is None:
        raise NotFound(f"There is no experiment {experiment_id}.")
    return experiment


@router.get("/{experiment_id}", response=ExperimentAnswer)
def retrieve_experiment(request: HttpRequest, experiment_id: str) -> HttpResponse:
    return reply(ExperimentAnswer.of(get(experiment_id)))


@router.get("/{experiment_id}/trace")
def retrieve_experiment_trace(request: HttpRequest, experiment_id: str) -> HttpResponse:
    """The request and the response as texts, byte for byte in UTF-8; null before there is one."""
    experiment = get(experiment_id)
    if experiment.request_digest is None:
        return reply(None)
    return reply(
        {"request": request_bytes(experiment).decode(), "response": response_bytes(experiment).decode(errors="replace")}
    )


@router.post("/{experiment_id}/cancel", response=ExperimentAnswer)
def cancel_experiment(request: HttpRequest, experiment_id: str) -> HttpResponse:
    experiments.cancel(get(experiment_id).agent_id, experiment_id)
    return reply(ExperimentAnswer.of(get(experiment_id)))


@router.delete("/{experiment_id}")
def delete_experiment(request: HttpRequest, experiment_id: str) -> HttpResponse:
    experiments.delete(get(experiment_id).agent_id, experiment_id)
    return reply({"success": True})
