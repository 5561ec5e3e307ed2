"""The context window: what the agent saw at a step, segment by segment, and what changed since another one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import urlencode

from asgiref.sync import async_to_sync
from django.db.models import QuerySet

from ade.address import thread
from ade.panels.base import Panel
from ade.scrubber import scrubber_of
from ade.window import Bar, Comparison, bar_of, cells, envelope_of, groups_of
from agents_core.actions.prompt import current_parts, stale_parts
from agents_core.errors import AgentsError, InvalidInput
from agents_core.memory.render import BlockFacts, block_text, numbers_lines
from agents_core.models import Block, BlockVersion, Eviction, SegmentKind, Step, StepKind
from agents_core.record.compare import Compared, compare
from agents_core.record.lines import left_steps
from agents_core.record.steps import SegmentView, segments_of
from agents_core.runtime.compaction_settings import AT_COMPACTION, CompactionSettings
from agents_core.runtime.policy import policy_of
from agents_core.runtime.preview import preview_next

_NEAR = 12
_MOST_DIGITS = 18  # A step's number is a bigint.
_NOTHING = "none"
_NAMES: Mapping[str, str] = {SegmentKind.SYSTEM: "system instructions", SegmentKind.RULES: "tool rules"}


@dataclass(frozen=True, slots=True)
class BaseChoice:
    """An entry of the "diff to" menu."""

    value: str
    label: str
    is_chosen: bool


class ContextPanel(Panel):
    """``params``: ``step`` pins a step, without it the newest is followed; ``diff`` is the step to compare with, by
    default the one before, "none" for no comparison; ``seg`` is the key of the segment to open; ``live``, which only the
    scrubber sends, is the newest step that it knew: to scrub there is to follow."""

    slug = "context"
    title = "Context"
    follows: ClassVar[frozenset[str]] = frozenset(
        {"step.ended", "run.paused", "context.compacted", "agent.changed", "block.changed"}
    )

    @cached_property
    def pinned(self) -> int | None:
        step = number_in(self.params, "step")
        return None if step == number_in(self.params, "live") else step

    @property
    def kept(self) -> dict[str, str]:
        """What stays when another step is chosen."""
        return {name: value for name in ("diff", "seg", "conversation") if (value := self.params.get(name, ""))}

    @property
    def address(self) -> str | None:
        """Scrubbing takes the page's address along."""
        if "live" not in self.params:
            return None
        return _with_query(self._page(self.pinned), **self.kept)

    def _page(self, step: int | None) -> str:
        return f"/agents/{self.agent.id}" + (f"/steps/{step}" if step else "")

    def context(self) -> dict[str, Any]:
        recorded = self._recorded().filter(kind=StepKind.AGENT)
        if conversation := thread(self.params):
            recorded = recorded.filter(conversation=conversation)
        newest = recorded.order_by("-number").first()
        step = newest if self.pinned is None else Step.objects.filter(agent=self.agent, number=self.pinned).first()
        shared = {
            "pinned": self.pinned,
            "params": urlencode({**({"step": self.pinned} if self.pinned else {}), **self.kept}),
        }
        if step is None:
            missing = {"missing": self.pinned, "newest_url": self._page(None)}
            return {**shared, **(self._preview() if self.pinned is None else missing)}
        return {**shared, **self._of_step(step, newest)}

    def _recorded(self) -> "QuerySet[Step]":
        return Step.objects.filter(agent=self.agent, request_digest__isnull=False)

    def _preview(self) -> dict[str, Any]:
        try:
            segments = async_to_sync(preview_next)(self.agent.id, thread(self.params) or None).segments
        except AgentsError as error:
            return {"is_preview": True, "refusal": error.message, "bar": Bar([], self.agent.context_window)}
        bar = Bar(cells((s.kind, s.tokens) for s in segments), self.agent.context_window)
        groups = groups_of(segments, _uncompared(segments), self.params.get("seg", ""))
        return {"is_preview": True, "bar": bar, "groups": groups}

    def _of_step(self, step: Step, newest: Step | None) -> dict[str, Any]:
        near = self._near(step)
        base = self._base(step, near)
        segments = segments_of(step)
        groups = groups_of(segments, self._compared(step, base, segments), self.params.get("seg", ""))
        stale = self._stale(step, segments) if newest and step.id == newest.id else {}
        later = self._later(step) if newest and step.id == newest.id else {}
        for part in (part for group in groups for part in group.parts):
            part.is_stale = part.source_id in stale or part.source_id in later
        newest_number = newest.number if newest else 0
        last = max(self._recorded().order_by("-number").values_list("number", flat=True).first() or 0, step.number)
        live = newest_number if self.pinned != newest_number else 0
        panel = f"/agents/{self.agent.id}/panels/{self.slug}"
        seg = {name: value for name, value in self.kept.items() if name != "diff"}
        return {
            "step": step,
            "base": base,
            "missing_base": self.params.get("diff", "") if not base and self.params.get("diff") != _NOTHING else "",
            "choices": self._choices(near, base),
            "scrubber": scrubber_of(self.agent, last, step.number, live),
            "scrub_url": _with_query(panel, live=live, **self.kept),
            "diff_url": _with_query(panel, step=self.pinned or "", live=live, **seg),
            "link": _with_query(self._page(step.number), **({"diff": base.number} if base else {})),
            "bar": bar_of(step, ((s.kind, s.tokens) for s in segments)),
            "left": bool(left_steps([step])),
            "can_travel": can_travel(step),
            "corrected": _corrected(step, sum(s.tokens for s in segments)),
            "groups": groups,
            "envelope": envelope_of(segments),
            "stale": sorted({label for source, label in stale.items() if source not in later}),
            "later": sorted({*later.values()}),
        }

    # --- the step to compare with ------------------------------------------------------------------------------------

    def _near(self, step: Step) -> list[int]:
        """The numbers of the recorded steps before ``step`` in its thread, newest first."""
        before = self._recorded().filter(kind=step.kind, conversation=step.conversation_id, number__lt=step.number)
        return list(before.order_by("-number").values_list("number", flat=True)[:_NEAR])

    def _base(self, step: Step, near: Sequence[int]) -> Step | None:
        if self.params.get("diff") == _NOTHING:
            return None
        number = number_in(self.params, "diff")
        if number is None and step.kind == StepKind.AGENT:
            number = near[0] if near else None
        return None if number is None else self._recorded().filter(number=number).first()

    def _choices(self, near: Sequence[int], base: Step | None) -> list[BaseChoice]:
        chosen = self.params.get("diff", "")
        numbers = sorted({*near[1:], *([base.number] if base and chosen else [])}, reverse=True)
        return [
            BaseChoice("", f"{near[0]} (before)" if near else "the one before", not chosen),
            *(BaseChoice(str(number), str(number), str(number) == chosen) for number in numbers),
            BaseChoice(_NOTHING, "nothing", chosen == _NOTHING),
        ]

    def _compared(self, step: Step, base: Step | None, segments: Sequence[SegmentView]) -> Comparison:
        if base is None:
            return self._with_evictions(_uncompared(segments))
        compared = compare(_shown(segments_of(base)), _shown(segments))
        first, last = sorted((base.number, step.number))
        writes = BlockVersion.objects.filter(agent=self.agent, step__number__gte=first, step__number__lt=last)
        written = dict(writes.order_by("step__number").values_list("block_id", "step__number"))
        return self._with_evictions(Comparison(compared, written=written))

    def _with_evictions(self, comparison: Comparison) -> Comparison:
        """Adds which of the removed messages a summary replaced, and how many each summary stands for."""
        gone = [each.segment.source_id for each in comparison.segments if each.status == "removed"]
        evictions = Eviction.objects.filter(agent=self.agent)
        ids = evictions.filter(message_ids__overlap=gone).values_list("message_ids", flat=True)
        compacted = frozenset(message_id for message_ids in ids for message_id in message_ids)
        sizes = evictions.order_by("id").values_list("summary", "message_ids__0", "message_ids__len")
        return Comparison(comparison.segments, compacted, comparison.written, _replaced(sizes))

    # --- what the next step will see ---------------------------------------------------------------------------------

    def _stale(self, step: Step, segments: Sequence[SegmentView]) -> dict[str, str]:
        """The blocks that are not as this step saw them any more: labels by id."""
        if not policy_of(self.agent.agent_type).shows_memory:
            return {}
        numbered = numbers_lines(self.agent.agent_type, step.provider)
        seen = {s.source_id: s for s in segments if s.kind == SegmentKind.CORE}
        now = {
            block.id: (block.label, block_text(facts, numbered))
            for block in Block.objects.filter(agent_links__agent=self.agent)
            if (
                facts := BlockFacts(block.id, block.label, block.value, block.limit, block.description, block.read_only)
            )
        }
        stale = {
            source: view.label for source, view in seen.items() if source not in now or now[source][1] != view.text
        }
        return {**stale, **{source: label for source, (label, _) in now.items() if source not in seen}}

    def _later(self, step: Step) -> dict[str, str]:
        """What the next step will not see either, as the prompt waits for a compaction: labels by id."""
        if CompactionSettings.of(self.agent.compaction_settings).recompile != AT_COMPACTION:
            return {}
        conversation = step.conversation_id
        parts = stale_parts(self.agent, conversation, current_parts(self.agent, conversation))
        return {part["source_id"]: _NAMES.get(part["kind"], part["label"]) for part in parts}


def can_travel(step: Step) -> bool:
    """Whether an agent can be forked at the step, or go back to it."""
    return step.kind == StepKind.AGENT and bool(step.segments)


def number_in(params: Mapping[str, str], name: str) -> int | None:
    """The number of a step that a parameter holds, None without it. Raises ``InvalidInput`` for anything else."""
    value = params.get(name, "")
    if not value or value == _NOTHING:
        return None
    if not value.isascii() or not value.isdigit() or len(value) > _MOST_DIGITS:
        raise InvalidInput(f"{name} has to be the number of a step, not {value!r}.")
    return int(value)


def _with_query(path: str, **query: object) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def _replaced(evictions: Iterable[tuple[str | None, str, int]]) -> dict[str, int]:
    """How many messages each summary stands for, from (summary, oldest message evicted, number evicted), oldest first.

    The oldest message is the summary before, if there was one, and that stands for others in its turn.
    """
    replaced: dict[str, int] = {}
    for summary, oldest, count in evictions:
        replaced[summary or ""] = count - 1 + replaced.get(oldest, 1)
    return replaced


def _corrected(step: Step, estimated: int) -> int | None:
    """The estimate that compaction goes by, where what the model reported before makes it differ by a percent or more."""
    return step.estimated_tokens if abs(step.estimated_tokens - estimated) * 100 >= estimated > 0 else None


def _shown(segments: Sequence[SegmentView]) -> list[SegmentView]:
    return [segment for segment in segments if segment.kind != SegmentKind.ENVELOPE]


def _uncompared(segments: Sequence[SegmentView]) -> Comparison:
    return Comparison([Compared("same", segment, segment) for segment in _shown(segments)])
