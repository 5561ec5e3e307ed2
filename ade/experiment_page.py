"""A model call made again, beside the recorded one: both answers, how their words differ, and how the requests do."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ade.call_words import call_as_code, call_words
from ade.said import text_of
from ade.window import Bar, Comparison, Group, cells, groups_of
from agents_core.models import Agent, Experiment, Message, Role, SegmentKind, Step, ToolCall
from agents_core.record.compare import compare
from agents_core.record.diff import Change, diff_words
from agents_core.record.steps import SegmentView, segments_of
from agents_core.runtime.context import COMPACT_AT


@dataclass(frozen=True, slots=True)
class AnswerView:
    """What a model answered. ``calls`` are (name, arguments as code)."""

    said: str = ""
    reasoning: str = ""
    calls: Sequence[tuple[str, str]] = ()

    @property
    def words(self) -> str:
        """All that can be compared with another answer."""
        return "\n".join([*([self.said] if self.said else []), *(call_as_code(*call) for call in self.calls)])


@dataclass(frozen=True, slots=True)
class BlockChoice:
    """A block as the step saw it, to be changed in the form; ``is_left_out``: the experiment was without it."""

    label: str
    dom_id: str
    value: str
    is_left_out: bool


def recorded_answer(step: Step) -> AnswerView:
    message = Message.objects.filter(step=step, role=Role.ASSISTANT).first()
    calls = [
        (call.name, call_words(call.arguments)) for call in ToolCall.objects.filter(step=step).order_by("position")
    ]
    if message is None:
        return AnswerView(calls=calls)
    thoughts = [part["reasoning"] for part in message.content if part["type"] == "reasoning" and part["reasoning"]]
    return AnswerView(text_of(message.content), "\n".join(thoughts), calls)


def new_answer(experiment: Experiment) -> AnswerView | None:
    given = experiment.answer
    if given is None:
        return None
    calls = [(call["name"], call_words(call["arguments"])) for call in given["calls"]]
    return AnswerView(given["text"], given["reasoning"], calls)


def said_differently(step: Step, experiment: Experiment) -> list[Change]:
    """The words that came and went; [] for the same answer, and before there is one."""
    answer = new_answer(experiment)
    changes = diff_words(recorded_answer(step).words, answer.words) if answer else []
    return changes if any(change.op != "same" for change in changes) else []


def request_groups(step: Step, experiment: Experiment) -> tuple[Bar, list[Group]]:
    """The segments of the request that was made, compared with those of the recorded one."""
    old, new = segments_of(step), segments_of(experiment)
    bar = Bar(
        cells((s.kind, s.tokens) for s in new),
        step.context_window,
        round(step.context_window * COMPACT_AT),
        experiment.prompt_tokens or None,
    )
    return bar, groups_of(new, Comparison(compare(_shown(old), _shown(new))))


def _shown(segments: Sequence[SegmentView]) -> list[SegmentView]:
    return [segment for segment in segments if segment.kind != SegmentKind.ENVELOPE]


def form_of(step: Step, changes: Mapping[str, Any]) -> dict[str, Any]:
    """What the form begins with: what the step saw, with ``changes``."""
    segments = segments_of(step)
    instructions = [s.text for s in segments if s.kind == SegmentKind.SYSTEM and s.label == "instructions"]
    changed = changes.get("blocks", {})
    return {
        "model": changes.get("model", step.handle),
        "system": changes.get("system", "".join(instructions).strip("\n")),
        "blocks": [_choice(segment, changed) for segment in segments if segment.kind == SegmentKind.CORE],
    }


def _choice(segment: SegmentView, changed: Mapping[str, str | None]) -> BlockChoice:
    value = changed.get(segment.label)
    seen = value_in(segment.text)
    return BlockChoice(
        segment.label,
        f"again-{segment.source_id}",
        seen if value is None else value,
        segment.label in changed and value is None,
    )


_FACTS = re.compile(r"- chars_current=(\d+)\n- chars_limit=\d+\n</metadata>\n(<warning>\n.*\n</warning>\n)?<value>\n")


def value_in(shown: str) -> str:
    """The text of a block as the prompt shows it (``render.block_text``), without the numbers of its lines. It is as long as is said before
    it, whatever else looks like it."""
    body = shown.rpartition("\n</value>\n")[0]
    for match in _FACTS.finditer(f"{body}\n"):
        value = body[match.end() :]
        if match[2]:
            value = "\n".join(line.partition("→ ")[2] for line in value.split("\n"))
        if len(value) == int(match[1]):
            return value
    return body.rpartition("<value>\n")[2]


def page_context(agent: Agent, step: Step, experiment: Experiment | None) -> dict[str, Any]:
    """What pages/experiment.html needs."""
    others = Experiment.objects.filter(agent=agent, step=step)
    shared = {
        "agent": agent,
        "step": step,
        "recorded": recorded_answer(step),
        "experiment": experiment,
        "others": list(others[:50]),
        "form": form_of(step, experiment.changes if experiment else {}),
    }
    return {**shared, **(state_context(step, experiment) if experiment else {})}


def state_context(step: Step, experiment: Experiment) -> dict[str, Any]:
    """What changes while the call is made."""
    bar, groups = request_groups(step, experiment) if experiment.segments else (None, [])
    return {
        "answer": new_answer(experiment),
        "changes": said_differently(step, experiment),
        "bar": bar,
        "groups": groups,
    }
