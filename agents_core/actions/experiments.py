"""Making a recorded model call again another way, beside its agent."""

from typing import Any

from django.db import transaction

from agents_core.actions.model_choice import check_handle
from agents_core.errors import Conflict, NotFound, Refused
from agents_core.models import Experiment, ExperimentStatus, Step, new_id
from agents_core.models.pipeline import run_sync
from agents_core.queue.tasks import defer_experiment
from agents_core.runtime.preview import Changes
from agents_core.runtime.rebuilding import changed_parts, recorded


def create(agent_id: str, step_number: int, changes: Changes) -> Experiment:
    """Queues the call of a step to be made again with other instructions, blocks or model; without changes just again.

    Raises ``NotFound`` for a step that there is not, or that sent no request; ``Refused`` for one that cannot be made again, and for a
    change that it cannot take; ``UnknownModel``.
    """
    step = Step.objects.filter(agent=agent_id, number=step_number).first()
    if step is None:
        raise NotFound(f"This agent has no step {step_number}.")
    if changes.attach or changes.detach or changes.settings:
        raise Refused(
            "A call can be made again with another model, other instructions and other texts of blocks, nothing else."
        )
    if changes.model:
        check_handle(changes.model)
    changed_parts(recorded(step).parts, changes, step)
    with transaction.atomic():
        experiment = Experiment.objects.create(
            id=new_id("experiment"),
            agent_id=agent_id,
            step=step,
            changes=_stored(changes),
            handle=changes.model or step.handle,
        )
        run_sync([defer_experiment(experiment.id)])
    return experiment


def _stored(changes: Changes) -> dict[str, Any]:
    kept = {"model": changes.model, "system": changes.system, "blocks": dict(changes.blocks)}
    return {name: value for name, value in kept.items() if value not in (None, {})}


def get(agent_id: str, experiment_id: str) -> Experiment:
    """Raises ``NotFound``."""
    experiments = Experiment.objects.filter(agent=agent_id).select_related("step", "response")
    experiment = experiments.filter(id=experiment_id).first()
    if experiment is None:
        raise NotFound("This agent has no such experiment: it may have been deleted.")
    return experiment


def cancel(agent_id: str, experiment_id: str) -> None:
    """Asks the call to stop, which it does within a second. Raises ``NotFound``, ``Conflict`` when it has ended."""
    with transaction.atomic():
        experiment = Experiment.objects.select_for_update().filter(agent=agent_id, id=experiment_id).first()
        if experiment is None:
            raise NotFound("This agent has no such experiment: it may have been deleted.")
        if not experiment.is_open:
            raise Conflict("The call has ended, so there is nothing to stop.")
        experiment.cancel_requested = True
        if experiment.status == ExperimentStatus.CREATED:
            experiment.status = ExperimentStatus.CANCELLED
        experiment.save(update_fields=["cancel_requested", "status"])


def delete(agent_id: str, experiment_id: str) -> None:
    """Raises ``NotFound``."""
    if not Experiment.objects.filter(agent=agent_id, id=experiment_id).delete()[0]:
        raise NotFound("This agent has no such experiment: it may have been deleted.")
