"""A run that stands at a breakpoint, as people see it: why, and what of it can be changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from json import dumps
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from agents_core.models import (
    Breakpoint,
    BreakpointKind,
    Intervention,
    Message,
    Pause,
    PauseStage,
    Tool,
    ToolCall,
    ToolCallStatus,
)
from agents_core.record.diff import Change, diff_words

STAGES: Mapping[str, str] = {
    PauseStage.REQUEST: gettext_noop("before the model"),
    PauseStage.EVICTION: gettext_noop("before messages leave the context"),
    PauseStage.ANSWER: gettext_noop("after the model's answer"),
    PauseStage.RESULTS: gettext_noop("before the results are written"),
    PauseStage.FAILED: gettext_noop("after a failed model call"),
}
_AROUND_CHARS = 60


@dataclass(frozen=True, slots=True)
class Write:
    """A text that a call would put into a block."""

    label: str
    after: str
    changes: list[Change]

    @property
    def rows(self) -> int:
        return _rows(self.after)


@dataclass(slots=True)
class StandingCall:
    """A call of the step that stands. ``decision``: "approve", "deny" or "answer", as people left it."""

    call: ToolCall
    changed: Mapping[str, Any]
    writes: list[Write] = field(default_factory=list)
    recording: Sequence[Mapping[str, Any]] = ()
    source: str = ""

    @property
    def recording_json(self) -> str:
        """As stepper.js takes it."""
        return dumps(self.recording, ensure_ascii=False)

    @property
    def last_step(self) -> int:
        return len(self.recording) - 1

    @property
    def decision(self) -> str:
        return "deny" if "refused" in self.changed else "answer" if "result" in self.changed else "approve"

    @property
    def arguments(self) -> str:
        return dumps(self.changed.get("arguments", self.call.arguments), ensure_ascii=False, indent=2)

    @property
    def arguments_rows(self) -> int:
        return _rows(self.arguments)

    @property
    def result(self) -> str:
        return str(self.changed.get("result", self.call.result or ""))

    @property
    def result_rows(self) -> int:
        return _rows(self.result)


@dataclass(slots=True)
class Standing:
    """``answer`` is the message of the model that stands with it, None before it answered; ``said`` its text."""

    pause: Pause
    calls: list[StandingCall]
    answer: Message | None

    @property
    def words(self) -> str:
        return "; ".join(reason["text"] for reason in self.pause.reasons)

    @property
    def where(self) -> str:
        return _(STAGES[self.pause.stage])

    @property
    def said(self) -> str:
        return "".join(part["text"] for part in self.answer.content if part["type"] == "text") if self.answer else ""

    @property
    def said_rows(self) -> int:
        return _rows(self.said)

    @property
    def has_run(self) -> bool:
        """Whether its calls have run, and only their results wait."""
        return self.pause.stage == PauseStage.RESULTS


def _rows(text: str) -> int:
    return min(12, text.count("\n") + 1 + len(text) // 160)


def standing(pause: Pause) -> Standing:
    suspended = pause.run.suspended or {}
    changes, message_id = suspended.get("changes", {}), suspended.get("message_id")
    calls = [
        StandingCall(call, changes.get(call.call_id, {}))
        for call in ToolCall.objects.filter(step=pause.step_id, status=ToolCallStatus.PAUSED).order_by("position")
    ]
    for each in calls:
        each.writes = [
            _write(proposed, each.changed) for proposed in pause.proposed if proposed["call_id"] == each.call.call_id
        ]
        each.recording = pause.recordings.get(each.call.call_id, ())
        each.source = _source(each.call) if each.recording else ""
    return Standing(pause, calls, Message.objects.filter(pk=message_id).first() if message_id else None)


def _source(call: ToolCall) -> str:
    """The code that ran, unless it was changed since."""
    tool = Tool.objects.filter(name=call.name, agent_links__agent=call.agent_id).first()
    source = (tool.source_code or "") if tool else ""
    return source if call.code_digest and sha256(source.encode()).digest() == bytes(call.code_digest) else ""


def _write(proposed: Mapping[str, str], changed: Mapping[str, Any]) -> Write:
    after = changed.get("writes", {}).get(proposed["label"], proposed["after"])
    return Write(proposed["label"], after, diff_words(proposed["before"], after, around=_AROUND_CHARS))


# --- what was changed ------------------------------------------------------------------------------------------------

_CHANGED: Mapping[str, str] = {
    "system": gettext_noop("a person changed the system prompt"),
    "block": gettext_noop("a person changed block {}"),
    "message": gettext_noop("a person changed a message"),
    "arguments": gettext_noop("a person changed the arguments"),
    "result": gettext_noop("a person gave another result"),
    "refused": gettext_noop("a person refused the call: {}"),
    "write": gettext_noop("a person wrote another text"),
}


@dataclass(frozen=True, slots=True)
class Mend:
    """Something that a person changed, in words and in what came and went."""

    words: str
    changes: list[Change]


def mend(made: Intervention) -> Mend:
    words = _(_CHANGED[made.kind]).format(made.after if made.kind == "refused" else made.target)
    shown = [] if made.kind == "refused" else diff_words(made.before, made.after, around=_AROUND_CHARS)
    return Mend(words, shown)


# --- where it may stop -----------------------------------------------------------------------------------------------

QUICK = (
    (BreakpointKind.MODEL, gettext_noop("break before model")),
    (BreakpointKind.TOOL, gettext_noop("break before tools")),
    (BreakpointKind.BLOCK_WRITE, gettext_noop("break on memory write")),
)
"""Those that stand below the composer."""


def plain(breakpoints: Iterable[Breakpoint]) -> dict[tuple[str, str], Breakpoint]:
    """The breakpoints without a condition, by kind and target: those that a click sets and takes away."""
    return {
        (each.kind, each.target): each
        for each in breakpoints
        if not (each.condition or each.log or each.nth > 1 or each.agent_id is None)
    }
