"""What a person does with a run that stands at a breakpoint: looks, changes, lets it go on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from json import dumps
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Extract, Now

from agents_core.actions import agents, blocks
from agents_core.errors import Conflict, InvalidInput, NotFound, Refused
from agents_core.events.publish import Publication
from agents_core.events.types import RunCancelRequested, RunEdited, RunResumed
from agents_core.models import Author, Intervention, Message, Pause, PauseStage, Run, RunStatus, ToolCall
from agents_core.models.pipeline import run_sync
from agents_core.queue.tasks import defer_run
from agents_core.runtime.state import ANYWHERE, NEXT_STEP

_LONGEST = 1_000_000
_STOP_AT = {"continue": None, "out": None, "over": NEXT_STEP, "into": ANYWHERE}


class NotPaused(Conflict):
    """The run goes on already, or has ended."""

    code = "not_paused"


def open_pause(agent_id: str) -> Pause | None:
    """Where a run of the agent stands; the first, when several conversations do."""
    return Pause.objects.filter(agent=agent_id, resolved_at=None).select_related("run", "step").first()


def get(pause_id: str) -> Pause:
    """Raises ``NotFound``."""
    pause = Pause.objects.filter(pk=pause_id).select_related("run", "step").first()
    if pause is None:
        raise NotFound("Pause not found")
    return pause


def pause_soon(agent_id: str) -> list[str]:
    """Lets the agent's active runs stop where they next can; gives their ids. Raises ``NotFound``; ``NotPaused`` when none is."""
    with transaction.atomic():
        agents.locked(agent_id)
        going = Run.objects.filter(agent=agent_id, status__in=(RunStatus.CREATED, RunStatus.RUNNING))
        ids = list(going.values_list("id", flat=True))
        if not ids:
            raise NotPaused("No run of this agent is going on, so there is nothing to pause.")
        going.update(stop_at=ANYWHERE)
    return ids


def resume(pause_id: str, how: str = "continue", until: int | None = None) -> Pause:
    """Lets the run go on: "continue" to the next breakpoint, "over" to the next model call, "into" to the next place where it can stop,
    "out" to its end, or "cancel" it. ``until``: the number of the step before whose model call it is to stop.

    Raises ``NotFound``; ``NotPaused`` when somebody did so before; ``InvalidInput`` for another ``how``.
    """
    if how != "cancel" and how not in _STOP_AT:
        raise InvalidInput(f"A run goes on by one of: {', '.join(_STOP_AT)}, cancel.")
    with transaction.atomic():
        pause = _standing(pause_id)
        stop_at = str(until) if until is not None else _STOP_AT.get(how)
        _let_go(pause, how, stop_at)
        publication = Publication(pause.agent_id, pause.run_id, pause.step_id)
        publication.add(RunResumed(pause_id, how))
        if how == "cancel":
            publication.add(RunCancelRequested())
        run_sync([publication.statement(), defer_run(pause.agent_id, pause.run_id, pause.run.conversation_id)])
    return pause


def _let_go(pause: Pause, how: str, stop_at: str | None) -> None:
    pause.resolution = how
    Pause.objects.filter(pk=pause.pk).update(resolution=how, resolved_at=Now())
    stood = Extract(Now() - F("stops__created_at"), "epoch")
    stood_s = Run.objects.filter(pk=pause.run_id, stops=pause).values_list(stood, flat=True).get()
    Run.objects.filter(pk=pause.run_id).update(
        status=RunStatus.RUNNING,
        stop_at=stop_at,
        paused_s=F("paused_s") + float(stood_s),
        cancel_requested=how == "cancel",
    )


def _standing(pause_id: str) -> Pause:
    """The pause, held to the end of the transaction, its agent first, as every writer does. Raises ``NotFound``, ``NotPaused``."""
    pause = get(pause_id)
    agents.locked(pause.agent_id)
    held = Pause.objects.select_for_update(of=("self",)).select_related("run", "step").get(pk=pause_id)
    if held.resolved_at is not None:
        raise NotPaused("The run went on already: look where it is now.")
    return held


# --- changing what stands --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Change:
    """A change that somebody wants of a run that stands: of ``target``, an id or a label, to ``value``."""

    pause: Pause
    target: str
    value: Any
    status: str = "success"
    suspended: dict[str, Any] = field(default_factory=dict)

    def of_call(self) -> dict[str, Any]:
        """What people made of the call that the target names."""
        changes: dict[str, Any] = self.suspended.setdefault("changes", {}).setdefault(self.target, {})
        return changes

    def call(self, *stages: PauseStage) -> ToolCall:
        """The call that the target names. Raises ``Refused`` at another stage, ``NotFound``."""
        if self.pause.stage not in stages:
            raise Refused("This cannot be changed where the run stands now.")
        call = ToolCall.objects.filter(step=self.pause.step_id, call_id=self.target).first()
        if call is None:
            raise NotFound("The step has no such tool call.")
        return call

    def text(self) -> str:
        if not isinstance(self.value, str):
            raise InvalidInput("Give a text.")
        if len(self.value) > _LONGEST:
            raise InvalidInput(f"Give at most {_LONGEST:,} characters.")
        return self.value


def edit(pause_id: str, kind: str, target: str, value: Any, status: str = "success") -> Intervention:
    """Changes something of a run that stands, for good on record as a person's: see ``KINDS``.

    Args:
        kind: "system"; "block" (target: its label); "message" (its id; the model's answer too); "arguments" (id of the call; value: an
            object); "result" (id of the call; with ``status`` "success" or "error"); "refused" (id of the call; value: why);
            "write" (id of the call and label, parted by a space; value: the text to write instead).

    Raises ``NotFound``, ``NotPaused``, ``InvalidInput``; ``Refused`` for what cannot be changed at this stage.
    """
    if kind not in KINDS:
        raise InvalidInput(f"A person can change: {', '.join(KINDS)}.")
    if status not in ("success", "error"):
        raise InvalidInput("The status of a result is success or error.")
    with transaction.atomic():
        pause = _standing(pause_id)
        change = Change(pause, target, value, status, dict(pause.run.suspended or {}))
        before, after = KINDS[kind](change)
        Run.objects.filter(pk=pause.run_id).update(suspended=change.suspended or None)
        made = Intervention.objects.create(
            pause=pause, step=pause.step, kind=kind, target=target, before=before, after=after
        )
        publication = Publication(pause.agent_id, pause.run_id, pause.step_id)
        publication.add(RunEdited(pause_id, kind, target))
        run_sync([publication.statement()])
    return made


def _system(change: Change) -> tuple[str, str]:
    before = change.pause.agent.system
    agents.modify(change.pause.agent_id, {"system": change.text()}, Author.PERSON)
    return before, change.text()


def _block(change: Change) -> tuple[str, str]:
    block = blocks.of_agent(change.pause.agent_id, change.target)
    blocks.modify(block.id, {"value": change.text()}, Author.PERSON)
    return block.value, change.text()


def _message(change: Change) -> tuple[str, str]:
    """Its texts become one; images, thoughts and calls stay."""
    message = Message.objects.filter(
        pk=change.target, agent=change.pause.agent_id, conversation=change.pause.run.conversation_id
    ).first()
    if message is None:
        raise NotFound("Message not found")
    others = [part for part in message.content if part["type"] != "text"]
    if message.tool_returns or message.context_position is None:
        raise Refused("Only a message in the context can be changed; the result of a tool is changed at its call.")
    before = "".join(part["text"] for part in message.content if part["type"] == "text")
    content = [*others, {"type": "text", "text": change.text()}] if change.text() else others
    Message.objects.filter(pk=message.pk).update(content=content)
    return before, change.text()


def _arguments(change: Change) -> tuple[str, str]:
    call = change.call(PauseStage.ANSWER)
    if not isinstance(change.value, dict):
        raise InvalidInput("Arguments are a JSON object.")
    before = change.of_call().get("arguments", call.arguments)
    change.of_call()["arguments"] = change.value
    return _json(before), _json(change.value)


def _result(change: Change) -> tuple[str, str]:
    call = change.call(PauseStage.ANSWER, PauseStage.RESULTS)
    before = change.of_call().get("result", call.result or "")
    change.of_call().pop("refused", None)
    change.of_call().update(result=change.text(), status=change.status)
    return before, change.text()


def _refused(change: Change) -> tuple[str, str]:
    change.call(PauseStage.ANSWER, PauseStage.RESULTS)
    change.of_call()["refused"] = change.text()
    return "", change.text()


def _write(change: Change) -> tuple[str, str]:
    call_id, _, label = change.target.partition(" ")
    change.target = call_id
    change.call(PauseStage.RESULTS)
    proposed = [each for each in change.pause.proposed if (each["call_id"], each["label"]) == (call_id, label)]
    if not proposed:
        raise NotFound("The call writes no such block.")
    limit = blocks.get(proposed[0]["block_id"]).limit
    if len(change.text()) > limit:
        raise Refused(f"The block holds at most {limit:,} characters.")
    writes = change.of_call().setdefault("writes", {})
    before = writes.get(label, proposed[0]["after"])
    writes[label] = change.text()
    return before, change.text()


def _json(value: Mapping[str, Any]) -> str:
    return dumps(value, ensure_ascii=False)


KINDS: Mapping[str, Callable[[Change], tuple[str, str]]] = {
    "system": _system,
    "block": _block,
    "message": _message,
    "arguments": _arguments,
    "result": _result,
    "refused": _refused,
    "write": _write,
}
