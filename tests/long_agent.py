"""An agent with a long past, for tests and benchmarks: the rows that the runtime would have written, at thousands of steps a second.

Every request of it is recorded whole: its segments join to the bytes that its digest is of.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models, transaction
from django.db.models.expressions import DatabaseDefault
from django.utils import timezone

from agents_core.actions.prompt import current_parts
from agents_core.events import types as e
from agents_core.memory.render import BlockFacts, block_text
from agents_core.models import (
    Agent,
    Author,
    Blob,
    Block,
    BlockVersion,
    Event,
    Eviction,
    Message,
    Role,
    Run,
    RunStatus,
    Segment,
    SegmentKind,
    Step,
    StepKind,
    StepStatus,
    Tool,
    ToolCall,
    ToolCallStatus,
)
from agents_core.record.segments import CutSegment, Piece, segment

STEPS_A_TURN = 10
WRITES_EVERY = 4
"""One step of so many writes to the block ``human``."""
FAILS_EVERY = 333
KEPT_MESSAGES = 20
"""In the window after a compaction."""

_HEAD, _SYSTEM = '{"model":"benchmark","tools":[', '],"messages":[{"role":"system","content":"'
_AFTER_SYSTEM, _END = '"}', '],"stream":true,"stream_options":{"include_usage":true}}'
_WORDS = [
    *("harbour", "boat", "morning", "letter", "Lisbon", "Porto", "window", "quiet", "flight", "Ana", "garden"),
    *("Tuesday", "coffee", "train", "book", "doctor", "river", "ticket", "prefers", "never", "aisle", "moved"),
    *("works", "painted", "called", "sister", "market", "blue", "seven", "euros", "before", "after", "because"),
]
_STEP_S = 3


def live_long(agent_id: str, steps: int, *, full_messages: int = 100) -> None:
    """Gives an agent that holds a block ``human`` so many steps more, in turns of ``STEPS_A_TURN``.

    Its window is compacted whenever it holds ``full_messages``.
    """
    past = _Past(Agent.objects.get(id=agent_id), full_messages, timezone.now() - timedelta(seconds=steps * _STEP_S))
    last = past.number + steps
    while past.number < last:
        past.turn(min(STEPS_A_TURN, last - past.number))
    past.save()


@dataclass
class _Past:
    agent: Agent
    full_messages: int
    at: datetime
    rows: dict[type[models.Model], list[models.Model]] = field(default_factory=dict)
    segments: dict[str, CutSegment] = field(default_factory=dict)
    responses: list[bytes] = field(default_factory=list)
    window: list[tuple[Message, CutSegment]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.seq, self.number = self.agent.event_seq, self.agent.step_count
        self.random = Random(7)
        self.block = Block.objects.get(agent_links__agent=self.agent, label="human")
        self.facts = [f"Fact {n}: {self.words(8)}." for n in range(12)]
        tools = Tool.objects.filter(agent_links__agent=self.agent).order_by("agent_links__id")
        self.tools = [
            self.cut(SegmentKind.TOOL, tool.id, tool.name, ("," if n else "") + _json(tool.json_schema))
            for n, tool in enumerate(tools)
        ]
        self.prompt = [
            self.cut(part.kind, part.source_id, part.label, _json(part.text)[1:-1])
            for part in current_parts(self.agent)
        ]
        self.around = [self.cut(SegmentKind.ENVELOPE, "", "", t) for t in (_HEAD, _SYSTEM, _AFTER_SYSTEM, _END)]

    def words(self, count: int) -> str:
        return " ".join(self.random.choices(_WORDS, k=count))

    def cut(self, kind: SegmentKind, source: str, label: str, text: str) -> CutSegment:
        tokens = 0 if kind == SegmentKind.ENVELOPE else len(text) // 4
        made = segment(self.agent.id, Piece(kind, source, label, tokens), text)
        self.segments[made.id] = made
        return made

    def add(self, row: models.Model) -> None:
        self.rows.setdefault(type(row), []).append(row)

    def emit(self, event: e.AnyEvent, run: Run, step: Step | None = None) -> int:
        self.seq += 1
        place = {"run_id": run.id, "step_id": step and step.id, "created_at": self.at}
        self.add(Event(agent=self.agent, seq=self.seq, type=event.type, payload=e.payload_of(event), **place))
        return self.seq

    # --- what happens -------------------------------------------------------------------------------------------------

    def turn(self, steps: int) -> None:
        run = Run(agent=self.agent, status=RunStatus.COMPLETED, stop_reason="end_turn", attempts=1)
        run.created_at = run.started_at = self.at
        self.add(run)
        run.first_seq = self.emit(e.RunCreated(), run)
        self.say(run, None, Role.USER, self.words(20))
        self.emit(e.RunStarted(1), run)
        for left in reversed(range(steps)):
            if len(self.window) >= self.full_messages:
                self.compact(run)
            else:
                self.step(run, is_last=not left)
        run.completed_at = self.at
        self.emit(e.RunEnded(run.status, "end_turn"), run)

    def step(self, run: Run, *, is_last: bool) -> None:
        step = self.begin(run, StepKind.AGENT, [made for _, made in self.window])
        call_id = f"call_{step.number}"
        if step.number % FAILS_EVERY == 0:
            step.error = {"code": "llm_error", "message": "The model's server answered 500.", "status": 500}
            step.status = StepStatus.FAILED
        elif is_last:
            self.say(run, step, Role.ASSISTANT, self.words(60))
        else:
            self.call(run, step, call_id)
        self.end(run, step)

    def call(self, run: Run, step: Step, call_id: str) -> None:
        writes = step.number % WRITES_EVERY == 0
        name = "memory_rethink" if writes else "archival_memory_search"
        arguments = {"label": "human", "new_memory": self.words(6)} if writes else {"query": self.words(4)}
        self.say(run, step, Role.ASSISTANT, "", [{"id": call_id, "name": name, "arguments": _json(arguments)}])
        self.emit(e.ToolCalled(call_id, name), run, step)
        if writes:
            self.write(run, step, call_id)
        result = self.words(self.random.randrange(5, 80))
        row = ToolCall(step=step, agent=self.agent, call_id=call_id, name=name, arguments=arguments, result=result)
        row.status, row.created_at, row.started_ms, row.duration_ms = ToolCallStatus.OK, self.at, 1200.0, 9.0
        self.add(row)
        self.emit(e.ToolReturned(call_id, name, "success"), run, step)
        self.say(run, step, Role.TOOL, result, call_id=call_id)

    def write(self, run: Run, step: Step, call_id: str) -> None:
        self.facts[self.random.randrange(len(self.facts))] = f"At step {step.number}: {self.words(9)}."
        block, block.value = self.block, "\n".join(self.facts)
        block.version += 1
        version = BlockVersion(block=block, version=block.version, label=block.label, value=block.value)
        version.limit, version.author, version.created_at = block.limit, Author.AGENT, self.at
        version.agent, version.step, version.tool_call_id = self.agent, step, call_id
        self.add(version)
        text = block_text(
            BlockFacts(block.id, block.label, block.value, block.limit, block.description), numbered=False
        )
        place = next(n for n, made in enumerate(self.prompt) if made.piece.source_id == block.id)
        self.prompt[place] = self.cut(SegmentKind.CORE, block.id, block.label, _json(text)[1:-1])
        self.emit(e.BlockChanged(block.id, block.label, block.version, Author.AGENT), run, step)

    def compact(self, run: Run) -> None:
        gone, kept = self.window[:-KEPT_MESSAGES], self.window[-KEPT_MESSAGES:]
        step = self.begin(run, StepKind.SUMMARY, [made for _, made in gone])
        self.window = []
        summary = self.say(run, step, Role.SUMMARY, self.words(150))
        self.window += kept
        eviction = Eviction(agent=self.agent, run=run, step=step, trigger="threshold", mode="sliding_window")
        eviction.message_ids, eviction.summary = [message.id for message, _ in gone], summary
        eviction.tokens_before, eviction.tokens_after = step.estimated_tokens, step.estimated_tokens // 4
        eviction.messages_before, eviction.messages_after = len(gone) + len(kept) + 1, len(kept) + 2
        eviction.summarised_by, eviction.generation, eviction.created_at = self.agent.model, 1, self.at
        self.add(eviction)
        self.emit(e.ContextCompacted(summary.id), run, step)
        self.end(run, step)

    def begin(self, run: Run, kind: StepKind, said: Sequence[CutSegment]) -> Step:
        self.number += 1
        self.at += timedelta(seconds=_STEP_S)
        head, system, after, end = self.around
        sent = [head, *self.tools, system, *self.prompt, after, *said, end]
        provider, _, model = self.agent.model.partition("/")
        step = Step(agent=self.agent, run=run, number=self.number, kind=kind, provider=provider, model=model)
        step.handle, step.context_window = self.agent.model, self.agent.context_window
        step.compacts_at, step.segments = step.context_window * 9 // 10, [each.id for each in sent]
        step.request_digest = sha256("".join(each.text for each in sent).encode()).digest()
        step.estimated_tokens = step.prompt_tokens = sum(each.piece.tokens for each in sent)
        step.completion_tokens, step.started_at, step.first_token_ms, step.model_ms = 60, self.at, 300.0, 1100.0
        self.add(step)
        self.emit(e.StepStarted(), run, step)
        return step

    def end(self, run: Run, step: Step) -> None:
        if step.status == StepStatus.PENDING:
            step.status = StepStatus.SUCCESS
        step.finished_at, step.tools_ms = self.at, 9.0
        response = f'data: {{"id":"chatcmpl-{step.number}"}}\n\ndata: [DONE]\n\n'.encode()
        step.response_id = sha256(response).digest()
        self.responses.append(response)
        self.emit(e.StepEnded(step.number, step.status), run, step)

    def say(
        self,
        run: Run,
        step: Step | None,
        role: Role,
        text: str,
        calls: Sequence[dict[str, Any]] = (),
        call_id: str | None = None,
    ) -> Message:
        """A message, in the window from now on."""
        message = Message(agent=self.agent, run=run, step=step, role=role, indexed=True, created_at=self.at)
        message.content = [{"type": "text", "text": text}] if text and not call_id else []
        message.tool_calls = list(calls)
        if call_id:
            told = {"status": "success", "text": text, "value": text, "stdout": "", "stderr": ""}
            message.tool_returns = [{"tool_call_id": call_id, "name": "", **told}]
        message.seq = self.emit(e.MessageCreated(message.id, role), run, step)
        self.add(message)
        self.window.append((message, self.cut(*_sent(message, text, calls, call_id))))
        return message

    # --- the rows -----------------------------------------------------------------------------------------------------

    def save(self) -> None:
        for position, (message, _) in enumerate(self.window, start=2):  # the prompt's own message stands first
            message.context_position = position
        blobs = {sha256(content).digest(): content for content in (*self._texts(), *self.responses)}
        stored = {bytes(digest) for digest in Blob.objects.filter(digest__in=blobs).values_list("digest", flat=True)}
        cut = {each.hex for each in Segment.objects.filter(agent=self.agent).values_list("id", flat=True)}
        with transaction.atomic():
            _copy([Blob(digest=digest, content=text) for digest, text in blobs.items() if digest not in stored])
            _copy([self._row(made) for key, made in self.segments.items() if key not in cut])
            for kind in (Run, Step, Message, Event, ToolCall, BlockVersion, Eviction):
                _copy(self.rows.get(kind, []))
            Block.objects.filter(id=self.block.id).update(value=self.block.value, version=self.block.version)
            Agent.objects.filter(id=self.agent.id).update(event_seq=self.seq, step_count=self.number)
        with connection.cursor() as cursor:  # as autovacuum does within a minute
            cursor.execute("ANALYZE step, message, event, tool_call, block_version, segment, run, eviction")

    def _texts(self) -> Iterable[bytes]:
        return (made.text.encode() for made in self.segments.values())

    def _row(self, made: CutSegment) -> Segment:
        piece, digest = made.piece, sha256(made.text.encode()).digest()
        row = Segment(id=made.id, agent=self.agent, kind=piece.kind, source_id=piece.source_id, label=piece.label)
        row.blob_id, row.tokens = digest, piece.tokens
        return row


def _sent(
    message: Message, text: str, calls: Sequence[dict[str, Any]], call_id: str | None
) -> tuple[SegmentKind, str, str, str]:
    """A message as chat completions send it: kind, source, label and bytes of its segment."""
    role = "user" if message.role == Role.SUMMARY else message.role
    sent: dict[str, Any] = {"role": str(role), "content": text or None}
    if calls:
        functions = [{"name": call["name"], "arguments": call["arguments"]} for call in calls]
        sent["tool_calls"] = [
            {"id": call["id"], "type": "function", "function": function}
            for call, function in zip(calls, functions, strict=True)
        ]
    if call_id:
        sent["tool_call_id"] = call_id
    kinds = {Role.TOOL: SegmentKind.TOOL_RETURN, Role.SUMMARY: SegmentKind.SUMMARY}
    return kinds.get(Role(message.role), SegmentKind.MESSAGE), message.id, str(role), "," + _json(sent)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _copy(rows: Sequence[models.Model]) -> None:
    """Writes ``rows`` of one table, in their order; what the first leaves to the database, it gives to all."""
    if not rows:
        return
    fields = [
        field
        for field in rows[0]._meta.concrete_fields
        if not isinstance(field, models.AutoField) and not isinstance(getattr(rows[0], field.attname), DatabaseDefault)
    ]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    with connection.cursor() as cursor, cursor.copy(f"COPY {rows[0]._meta.db_table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([_value(field, row) for field in fields])


def _value(field: "models.Field[Any, Any]", row: models.Model) -> Any:
    value = getattr(row, field.attname)
    if isinstance(field, ArrayField | models.BinaryField):
        return value
    return field.get_db_prep_save(value, connection)
