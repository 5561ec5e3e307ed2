"""The scopes of an agent's recorded steps: what the names of an expression meant at each, read for many steps at once.

Only what the names need is loaded, and each segment once, however many steps show it.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from django.db.models import F, Func, Q, TextField, Value

from agents_core.models import Message, Role, Segment, SegmentKind, Step, StepStatus, ToolCall, ToolCallStatus
from agents_core.record.scope import MESSAGE_KINDS, PROMPT_KINDS, SeenPart, request_scope, roots_of, seen_part

BATCH = 1_000
"""Steps that are read at once."""

_FINAL = (ToolCallStatus.OK, ToolCallStatus.ERROR, ToolCallStatus.INTERRUPTED)
_OF_REQUEST = {"block", "context", "system", "messages", "tokens"}
_OF_CALLS = {"tools", "tool", "arguments", "result", "error"}
_KINDS_OF = {"block": {SegmentKind.CORE}, "system": PROMPT_KINDS, "messages": MESSAGE_KINDS}
"""The segments whose text a name needs; ``context`` needs all."""

_FIELDS = (
    "id", "number", "handle", "kind", "status", "stop_reason", "model_ms", "tools_ms", "cost_usd", "error", "prompt_tokens",
    "context_window", "was_sent",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RecordedScope:
    """``is_open``: what it holds may still change, because the step has not ended or a call of it has no result yet. ``is_recorded``:
    there is something to show, its request or its end."""

    number: int
    scope: dict[str, Any]
    is_open: bool
    is_recorded: bool


@dataclass
class RecordedSteps:
    """The steps of an agent, in one conversation or (None) in all, those that compact included."""

    agent_id: str
    names: Collection[str]
    conversation_id: str | None = None
    _parts: dict[str, SeenPart | None] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._roots = roots_of(self.names)
        self._kinds = {kind for root in self._roots for kind in _KINDS_OF.get(root, ())}

    def scopes(self, after: int = 0, also: Collection[int] = ()) -> Iterator[RecordedScope]:
        """Those of the steps numbered above ``after``, and of ``also``, in order."""
        return chain.from_iterable(self.batches(after, also))

    def batches(self, after: int = 0, also: Collection[int] = ()) -> Iterator[Iterator[RecordedScope]]:
        """As ``scopes``, in the parts in which they are read from the database."""
        last = 0
        while steps := self._batch(Q(number__gt=after) | Q(number__in=also), last):
            yield self._read(steps)
            last = steps[-1]["number"]

    def _batch(self, wanted: Q, last: int) -> list[dict[str, Any]]:
        steps = (
            Step.objects.annotate(was_sent=Q(request_digest__isnull=False))
            .filter(wanted, agent=self.agent_id, number__gt=last)
            .order_by("number")
        )
        if self.conversation_id:
            steps = steps.filter(conversation=self.conversation_id)
        fields = list(_FIELDS)
        if self._roots & _OF_REQUEST:
            # As one text: a value for each segment of each step takes several times as long.
            steps = steps.annotate(
                ids=Func(F("segments"), Value(" "), function="array_to_string", output_field=TextField())
            )
            fields.append("ids")
        return list(steps.values(*fields)[:BATCH])

    def _read(self, steps: Sequence[dict[str, Any]]) -> Iterator[RecordedScope]:
        ids = [step.pop("ids", "").split() for step in steps]
        self._load_parts({each for of_step in ids for each in of_step})
        calls = self._calls(steps)
        answers = self._answers(steps)
        return (
            self._scope(step, of_step, calls.get(step["id"], []), answers.get(step["id"]))
            for step, of_step in zip(steps, ids, strict=True)
        )

    def _scope(
        self, step: Mapping[str, Any], ids: Sequence[str], calls: Sequence[Mapping[str, Any]], answer: str | None
    ) -> RecordedScope:
        scope = {**_step_scope(step), **_calls_scope(step, calls), "answer": answer}
        if ids:
            parts = [part for each in ids if (part := self._parts[each])]
            scope |= request_scope(parts, self.names, step["context_window"], step["prompt_tokens"] or None)
        is_pending = step["status"] == StepStatus.PENDING
        is_open = is_pending or any(call["status"] not in _FINAL for call in calls)
        return RecordedScope(step["number"], scope, is_open, step["was_sent"] or not is_pending)

    # --- what is loaded -----------------------------------------------------------------------------------------------

    def _load_parts(self, wanted: set[str]) -> None:
        missing = wanted - self._parts.keys()
        self._parts |= dict.fromkeys(missing)
        segments = Segment.objects.filter(id__in=missing)
        shown = segments if "context" in self._roots else segments.filter(kind__in=self._kinds)
        for id_, kind, label, tokens, content in shown.values_list("id", "kind", "label", "tokens", "blob__content"):
            self._parts[str(id_)] = seen_part(kind, label, tokens, bytes(content))
        if "tokens" in self._roots and "context" not in self._roots:
            others = segments.exclude(kind__in=self._kinds)
            for id_, kind, label, tokens in others.values_list("id", "kind", "label", "tokens"):
                self._parts[str(id_)] = SeenPart(kind, label, tokens)

    def _calls(self, steps: Sequence[dict[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
        calls: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        if self._roots & _OF_CALLS:
            made = ToolCall.objects.filter(step__in=[step["id"] for step in steps]).order_by("position")
            for call in made.values("step_id", "name", "arguments", "result", "status"):
                calls[call["step_id"]].append(call)
        return calls

    def _answers(self, steps: Sequence[dict[str, Any]]) -> dict[str, str]:
        if "answer" not in self._roots:
            return {}
        said = Message.objects.filter(step__in=[step["id"] for step in steps], role=Role.ASSISTANT)
        return {
            step: answer_of(content, calls)
            for step, content, calls in said.values_list("step", "content", "tool_calls")
        }


def answer_of(content: Sequence[dict[str, Any]], tool_calls: Sequence[dict[str, Any]]) -> str:
    """What an assistant's message says: what it sent by ``send_message``, else its text."""
    sent = [_message_in(call.get("arguments", "")) for call in tool_calls if call.get("name") == "send_message"]
    return "\n".join(filter(None, sent)) or "".join(part["text"] for part in content if part["type"] == "text")


def _message_in(arguments: str) -> str:
    try:
        given = json.loads(arguments)
    except ValueError:
        return ""
    return str(given.get("message") or "") if isinstance(given, dict) else ""


def _step_scope(step: Mapping[str, Any]) -> dict[str, Any]:
    took = [ms for ms in (step["model_ms"], step["tools_ms"]) if ms is not None]
    facts = {name: step[name] for name in ("number", "kind", "status", "stop_reason")}
    cost = None if step["cost_usd"] is None else float(step["cost_usd"])
    return {"step": {**facts, "model": step["handle"], "ms": sum(took) if took else None}, "cost": cost}


def _calls_scope(step: Mapping[str, Any], calls: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    failed = next((call["result"] for call in calls if call["status"] == ToolCallStatus.ERROR), None)
    scope: dict[str, Any] = {"tools": [call["name"] for call in calls], "error": failed}
    if step["error"]:
        scope["error"] = str(step["error"].get("message", ""))
    if calls:
        scope |= {"tool": calls[0]["name"], "arguments": calls[0]["arguments"], "result": calls[0]["result"]}
    return scope
