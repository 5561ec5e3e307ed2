"""What a callback says: how a run or a batch ended (contract: wire, section 8)."""

from typing import Any

from pydantic_core import to_json

from agents_core.actions.batches import status_of
from agents_core.actions.callbacks import CallbackFailed, Delivery, post, record_of_batch, record_of_run
from agents_core.actions.messages import outcome
from agents_core.api.answers import response
from agents_core.api.wire import view_of_request
from agents_core.models import Batch, Run


async def deliver(*, run_id: str | None = None, batch_id: str | None = None) -> None:
    """Tells the callback URL of a run or a batch that it has ended, unless that was taken before or the row is gone.

    Raises ``CallbackFailed``: call it again later.
    """
    if run_id is not None:
        await _deliver_run(run_id)
    elif batch_id is not None:
        await _deliver_batch(batch_id)


async def _deliver_run(run_id: str) -> None:
    run = await Run.objects.filter(pk=run_id).afirst()
    if run is None or run.callback_url is None or _was_taken(run):
        return
    delivery = await post(run.callback_url, run.id, to_json(await run_body(run)))
    await record_of_run(run.agent_id, run.id, delivery)
    _check(delivery, run.callback_url)


async def _deliver_batch(batch_id: str) -> None:
    batch = await Batch.objects.filter(pk=batch_id).afirst()
    if batch is None or batch.callback_url is None or _was_taken(batch):
        return
    delivery = await post(batch.callback_url, batch.id, to_json(await batch_body(batch)))
    await record_of_batch(batch.id, delivery)
    _check(delivery, batch.callback_url)


def _was_taken(ended: Run | Batch) -> bool:
    return ended.callback_sent_at is not None and ended.callback_error is None


def _check(delivery: Delivery, url: str) -> None:
    if delivery.error is not None:
        raise CallbackFailed(f"The callback to {url} was not taken: {delivery.error}")


async def run_body(run: Run) -> dict[str, Any]:
    ended = await outcome(run.id)
    error = {"error": ended.error} if ended.error else {}
    return {
        "run_id": run.id,
        "status": run.status,
        "completed_at": run.completed_at,
        "metadata": run.metadata | error | {"result": response(ended, view_of_request(ended.agent_type, run.request))},
    }


async def batch_body(batch: Batch) -> dict[str, Any]:
    runs = {
        run_id: status async for run_id, status in batch.runs.order_by("created_at", "id").values_list("id", "status")
    }
    status = status_of(batch, list(runs.values()))
    metadata = {"runs": [{"run_id": run_id, "status": each} for run_id, each in runs.items()]}
    return {"job_id": batch.id, "status": status, "completed_at": batch.completed_at, "metadata": metadata}
