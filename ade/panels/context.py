"""The context window: what the agent saw at a step, segment by segment, and what changed since another one."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import urlencode

from asgiref.sync import async_to_sync
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ade.address import step_number, thread
from ade.compared import NOTHING, against
from ade.panels.base import Panel
from ade.scrubber import scrubber_of
from ade.window import Bar, Comparison, Group, bar_of, bar_to_come, envelope_of, groups_of
from agents_core.actions.prompt import current_parts, stale_parts
from agents_core.errors import AgentsError, NotFound
from agents_core.memory.render import BlockFacts, block_text, numbers_lines
from agents_core.models import Block, Eviction, SegmentKind, Step, StepKind, StepStatus
from agents_core.record.compare import Compared
from agents_core.record.differences import Difference, difference_of
from agents_core.record.lines import left_steps, moved_since, past
from agents_core.record.steps import SegmentView, segments_of_each
from agents_core.runtime.compaction_settings import AT_COMPACTION, CompactionSettings
from agents_core.runtime.policy import policy_of
from agents_core.runtime.preview import preview_next

Views = Sequence[SegmentView]

_NAMES: Mapping[str, str] = {
    SegmentKind.SYSTEM: gettext_noop("system instructions"),
    SegmentKind.RULES: gettext_noop("tool rules"),
}


class ContextPanel(Panel):
    """``params``: ``step`` pins a step, without it the newest is followed; ``diff`` is the step to compare with, a number or
    one of the words of ``ade.compared``; ``seg`` is the key of the segment to open; ``live``, which only the scrubber
    sends, is the newest step that it knew: to scrub there is to follow."""

    slug = "context"
    title = gettext_noop("Context")
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
        newest, last = self._newest()
        step = newest if self.pinned is None else Step.objects.filter(agent=self.agent, number=self.pinned).first()
        shared = {
            "pinned": self.pinned,
            "params": urlencode({**({"step": self.pinned} if self.pinned else {}), **self.kept}),
        }
        if step is None:
            missing = {"missing": self.pinned, "newest_url": self._page(None)}
            return {**shared, **(self._preview(last) if self.pinned is None else missing)}
        return {**shared, **self._of_step(step, newest, max(last, step.number))}

    def _newest(self) -> tuple[Step | None, int]:
        """The newest step that answers in the thread shown, on no branch that was left, and the number of the newest of all, 0 without
        one."""
        last, conversation = self._recorded().order_by("-number").first(), thread(self.params)
        if last is None:
            return None, 0
        if last.kind == StepKind.AGENT and conversation in ("", last.conversation_id) and not left_steps([last]):
            return last, last.number
        answering = self._recorded().filter(past(self.agent.id), kind=StepKind.AGENT)
        own = answering.filter(conversation=conversation) if conversation else answering
        return own.order_by("-number").first(), last.number

    def _recorded(self) -> "QuerySet[Step]":
        """The steps that sent a request, and those that stand at a breakpoint before they do."""
        stands = Q(status=StepStatus.PENDING, segments__len__gt=0)
        return Step.objects.filter(stands | Q(request_digest__isnull=False), agent=self.agent)

    def _preview(self, last: int) -> dict[str, Any]:
        """The request to come, where no step of the agent's past has sent one; ``last``: the number of the newest of all."""
        shared = {"is_preview": True, "all_left": last}
        try:
            segments = async_to_sync(preview_next)(self.agent.id, thread(self.params) or None).segments
        except AgentsError as error:
            return {**shared, "refusal": error.message, "bar": Bar([], self.agent.context_window)}
        groups = groups_of(segments, _uncompared(segments), self.params.get("seg", ""))
        return {**shared, "bar": bar_to_come(self.agent, segments), "groups": groups}

    def _of_step(self, step: Step, newest: Step | None, last: int) -> dict[str, Any]:
        newest_number = newest.number if newest else 0
        live = newest_number if self.pinned != newest_number else 0
        scrubber = scrubber_of(self.agent, last, step.number, live)
        chosen = against(self._recorded(), step, self.params.get("diff", ""), scrubber.memory)
        segments, *before = segments_of_each([step, *([chosen.base] if chosen.base else [])])
        comparison = self._compared(step, segments, chosen.base, before)
        groups = groups_of(segments, comparison, self.params.get("seg", ""))
        moved = moved_since(newest) if newest else None
        stale = self._stale(step, segments) if step.number == newest_number else {}
        later = self._later(step) if step.number == newest_number else {}
        for part in (part for group in groups for part in group.parts):
            part.is_stale = part.source_id in stale or part.source_id in later
        return {
            "step": step,
            "scrubber": scrubber,
            "against": chosen,
            "counts": comparison.counts() if chosen.base else {},
            "more_tokens": comparison.more_tokens() if chosen.base else 0,
            "compaction": max(comparison.compactions.values(), default=None),
            **self._addresses(step, chosen.base, live),
            "bar": bar_of(step, ((s.kind, s.tokens) for s in segments)),
            "left": scrubber.is_left,
            "moved": moved,
            "gone_on": moved if step.number == newest_number else None,
            "can_travel": can_travel(step),
            "corrected": _corrected(step, sum(s.tokens for s in segments)),
            "groups": groups,
            "envelope": envelope_of(segments),
            "stale": sorted({label for source, label in stale.items() if source not in later}),
            "later": sorted({*later.values()}),
        }

    def _addresses(self, step: Step, base: Step | None, live: int) -> dict[str, str]:
        panel, page = f"/agents/{self.agent.id}/panels/{self.slug}", self._page(step.number)
        seg = {name: value for name, value in self.kept.items() if name != "diff"}
        return {
            "scrub_url": _with_query(panel, live=live, **self.kept),
            "diff_url": _with_query(panel, step=self.pinned or "", live=live, **seg),
            "late_base": _with_query(f"{page}/segments", diff=base.number if base else NOTHING),
            "link": _with_query(page, **({"diff": base.number} if base else {})),
        }

    def late(self) -> dict[str, Any]:
        """What was left out of the panel: the text of the segment ``text``, or the lines of the chunk ``lines``. Raises ``NotFound``."""
        context = self.full_context()
        groups: list[Group] = context.get("groups", [])
        text, lines = self.params.get("text"), self.params.get("lines")
        parts = [part for group in groups for part in group.parts if part.key == text]
        chunks = [chunk for group in groups if not group.is_single for chunk in group.chunks if chunk.key == lines]
        if not (parts or chunks):
            raise NotFound(_("That step has no such segment."))
        return {**context, "part": parts[0] if parts else None, "chunk": chunks[0] if chunks else None}

    # --- the step to compare with ------------------------------------------------------------------------------------

    def _compared(self, step: Step, segments: Views, base: Step | None, before: Sequence[Views]) -> Comparison:
        """``before``: the segments of ``base``, if there is one."""
        found: Difference = _uncompared(segments)
        if base is not None:
            sides = sorted(((base, before[0]), (step, segments)), key=lambda side: side[0].number)
            found = difference_of(*sides[0], *sides[1])
        return Comparison(found.segments, found.compactions, found.written, self._replaced(found))

    def _replaced(self, found: Difference) -> Mapping[str, int]:
        if all(compared.segment.kind != SegmentKind.SUMMARY for compared in found.segments):
            return {}
        evictions = Eviction.objects.filter(agent=self.agent).order_by("id")
        return _replaced(evictions.values_list("summary", "message_ids__0", "message_ids__len"))

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
        return {part["source_id"]: _named(part) for part in parts}


def _named(part: Mapping[str, str]) -> str:
    return _(_NAMES[part["kind"]]) if part["kind"] in _NAMES else part["label"]


def can_travel(step: Step) -> bool:
    """Whether an agent can be forked at the step, or go back to it."""
    return step.kind == StepKind.AGENT and bool(step.segments)


def number_in(params: Mapping[str, str], name: str) -> int | None:
    """The number of a step that a parameter holds, None without it. Raises ``InvalidInput`` for anything else."""
    value = params.get(name, "")
    return step_number(value, name) if value else None


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


def _uncompared(segments: Sequence[SegmentView]) -> Comparison:
    shown = (segment for segment in segments if segment.kind != SegmentKind.ENVELOPE)
    return Comparison([Compared("same", segment, segment) for segment in shown])
