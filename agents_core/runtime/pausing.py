"""A run that stands at a breakpoint: its step is stored as far as it came, its job ends, and no process waits.

``Run.suspended`` then holds what another worker needs to go on in the middle of the step:

- ``stage``: where it stands, as ``models.PauseStage``; ``step_id``.
- ``asked``: true of a run that stands in calls which an earlier run had asked about (``runtime.approvals``); ``step_id`` is then its own
  first step, which has not begun.
- ``message_id``: the answer of the model, from ANSWER on; ``finish_reason`` as the provider gave it.
- ``calls``: by call id, what a call that cannot be run again has left (``result``, and ``ran`` with the texts ``read`` of a person's tool),
  and the ``note`` for the model.
- ``changes``: by call id, what a person has made of it since: ``arguments``, ``refused`` (why it is not to run, or what it did not to
  count), ``result`` with its ``status``, ``writes`` (texts by label of the blocks that it writes).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from json import dumps
from typing import Any

from psycopg.errors import SerializationFailure

from agents_core.events.types import RunPaused
from agents_core.models import PauseStage, ToolCallStatus, new_id
from agents_core.models.pipeline import Statement, json, storable
from agents_core.runtime.calls import PlannedCall, write_rows
from agents_core.runtime.interrupt import RunCancelled
from agents_core.runtime.persist import Commit
from agents_core.runtime.state import Turn
from agents_core.sandbox.base import NewPassage, RecordedStep
from agents_core.tools.base import ToolResult


class Paused(Exception):
    """The run stands at a breakpoint, and all of it is stored."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a run stops. ``breakpoint_id`` is empty for a step that a person asked for; ``call_id`` and ``label``: of the call and the block
    that it is about."""

    text: str
    kind: str = ""
    breakpoint_id: str = ""
    call_id: str = ""
    label: str = ""


_CANCELLED = "run cancelled"
_PAUSE = f"""
WITH paused AS (
    UPDATE run SET status = 'paused', pauses = pauses + 1, suspended = %s, stop_at = NULL
    WHERE id = %s AND NOT cancel_requested RETURNING id
), noted AS (
    INSERT INTO pause (id, agent_id, run_id, step_id, stage, reasons, proposed, recordings)
    SELECT %s, %s, id, %s, %s, %s, %s, %s FROM paused
)
SELECT ensure(EXISTS (SELECT 1 FROM paused), '{_CANCELLED}')
"""


async def pause(
    turn: Turn,
    commit: Commit,
    stage: PauseStage,
    reasons: Sequence[Reason],
    *,
    proposed: Sequence[Mapping[str, Any]] = (),
    recordings: Mapping[str, Any] | None = None,
    **suspended: Any,
) -> None:
    """Writes ``commit`` and lets the run stand. Always raises: ``Paused``, or ``RunCancelled`` when somebody asked for that meanwhile."""
    pause_id = new_id("pause")
    kept = None if stage == PauseStage.FAILED else {"stage": stage, "step_id": turn.step_id, **suspended}
    of_pause = (pause_id, turn.agent.id, turn.step_id, stage, json([asdict(reason) for reason in reasons]))
    commit.add(
        Statement(
            _PAUSE, (json(kept) if kept else None, turn.run_id, *of_pause, json(list(proposed)), json(recordings or {}))
        )
    )
    commit.emit(RunPaused(pause_id, stage, "; ".join(reason.text for reason in reasons)))
    try:
        await commit.run()
    except SerializationFailure as error:
        if error.diag.message_primary == _CANCELLED:
            raise RunCancelled from None
        raise
    raise Paused(pause_id)


_GO_ON = "UPDATE run SET suspended = NULL WHERE id = %s"


def go_on(commit: Commit, turn: Turn) -> None:
    """Adds to a commit that makes the rest of the step needless that its run is no longer suspended in it."""
    if turn.suspended is not None:
        commit.add(Statement(_GO_ON, (turn.run_id,)))
        commit.afterwards(lambda: setattr(turn, "suspended", None))


async def pause_at_results(
    turn: Turn, commit: Commit, reasons: Sequence[Reason], planned: Sequence[PlannedCall], **suspended: Any
) -> None:
    """Writes ``commit`` and lets the run stand before the results of its calls are written. Always raises, as ``pause`` does."""
    for plan in planned:
        plan.waits = ToolCallStatus.PAUSED
    write_rows(commit, turn, planned)
    await pause(
        turn,
        commit,
        PauseStage.RESULTS,
        reasons,
        proposed=_proposed(planned),
        recordings={plan.call.id: _recording(plan.ran.steps) for plan in planned if plan.ran and plan.ran.steps},
        calls={plan.call.id: _left_by(plan) for plan in planned},
        **suspended,
    )


def _recording(steps: Sequence[RecordedStep]) -> Any:
    return storable([asdict(each) for each in steps])


def _proposed(planned: Sequence[PlannedCall]) -> list[dict[str, Any]]:
    """The texts that the calls would write, each block once a call."""
    writes: dict[tuple[str, str], dict[str, Any]] = {}
    for plan in planned:
        for edit in plan.edits:
            if "value" in edit.changes:
                write = writes.setdefault((plan.call.id, edit.label), {"before": edit.before})
                write |= {"call_id": plan.call.id, "block_id": edit.block_id, "label": edit.label}
                write["after"] = edit.changes["value"]
    return list(writes.values())


def _left_by(plan: PlannedCall) -> dict[str, Any]:
    """What is kept of a call that has run and cannot be run again; of one that can, only that it was refused."""
    noted = {"note": plan.note} if plan.note else {}
    if plan.ran is not None:
        return {"ran": asdict(replace(plan.ran, steps=())), "read": plan.read, **noted}
    if plan.result is not None and (plan.refused or not plan.can_be_redone):
        return {"result": asdict(plan.result), "refused": plan.refused, **noted}
    return noted


_REFUSED = "Error: a person refused this call, so nothing of it was done. Reason: {}"


def refused_by_person(reason: str) -> ToolResult:
    return ToolResult("error", _REFUSED.format(reason or "none given"))


def take_back(plan: PlannedCall, left: Mapping[str, Any]) -> None:
    """Gives a call that goes on what is kept of it in ``calls``."""
    plan.refused, plan.note = bool(left.get("refused")), left.get("note", plan.note)
    plan.result = ToolResult(**left["result"]) if "result" in left else None
    if "ran" in left:
        passages = [NewPassage(each["text"], tuple(each["tags"])) for each in left["ran"]["passages"]]
        plan.ran, plan.read = ToolResult(**{**left["ran"], "passages": passages}), left["read"]


def apply_changes(plan: PlannedCall, changes: Mapping[str, Any]) -> None:
    """Puts what a person wants in the place of a call's result, and of what it writes to blocks; the model is told of the latter."""
    if "result" in changes and plan.result is not None:
        plan.result = replace(plan.result, text=changes["result"], status=changes["status"])
    for label, text in changes.get("writes", {}).items():
        last = max((at for at, edit in enumerate(plan.edits) if edit.label == label), default=None)
        if last is not None:
            _write_instead(plan, last, text)


def _write_instead(plan: PlannedCall, at: int, text: str) -> None:
    edit = plan.edits[at]
    plan.edits[at] = replace(edit, changes={**edit.changes, "value": text})
    if plan.result is not None and plan.result.text == edit.changes["value"]:
        plan.result = replace(plan.result, text=text)
    told = f"A person changed what it wrote: the block {edit.label} now holds {dumps(text, ensure_ascii=False)}."
    if told not in plan.note:
        plan.note = f"{plan.note} {told}".strip()
