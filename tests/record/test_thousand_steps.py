"""A thousand steps of one agent to which everything happens: what is rebuilt of each is what the provider's server received.

The truth is the server's: it numbers what comes in and names that number in the answer's header, which the step keeps. So each step is held
to the one request that it sent, and not to the like of it.
"""

import json
from collections.abc import Callable, Iterator
from random import Random
from threading import Lock
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from agents_core.actions import agents, archives, blocks, files, folders, tools
from agents_core.actions.compaction import queue_compaction
from agents_core.actions.messages import Input, RunOptions, outcome, send
from agents_core.llm.offline.summary import SUMMARY_REQUEST
from agents_core.memory.archival.base import PassageDraft
from agents_core.models import (
    Agent,
    AgentFile,
    Author,
    Block,
    BlockVersion,
    Eviction,
    Message,
    Role,
    Step,
    StepKind,
    Tool,
    ToolCall,
    new_id,
)  # fmt: skip
from agents_core.record.steps import request_bytes
from agents_core.runtime.filing import process
from agents_core.runtime.loop import execute
from tests.llm.fake_server import FakeModelServer, Received, Reply, refuse
from tests.runtime.world import make_agent, make_tool, text

pytestmark = pytest.mark.usefixtures("database")

STEPS = 1000
MODELS = ["openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5", "ollama/some-model"]
AWKWARD = 'Quote " and \\ backslash,\nnew line\ttab, é 漢字 😀 \u2028 </script> {"json": [1, 2]} \x7f\x1b'
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
TOOLS = [
    "memory_insert", "memory_replace", "core_memory_append", "memory_rethink", "memory_apply_patch", "memory",
    "archival_memory_insert", "archival_memory_search", "conversation_search",
]  # fmt: skip


class Model:
    """A model of many moods: it edits memory, searches, calls several tools at once, errs, and speaks. Each answer tells which request it
    is to; ``received`` are the requests by that name."""

    def __init__(self) -> None:
        self.random = Random(89)
        self.received: dict[str, bytes] = {}
        self.facts = 0
        self._lock = Lock()

    def __call__(self, request: Received) -> Reply:
        with self._lock:
            name = f"req-{len(self.received) + 1}"
            self.received[name] = request.body
            reply = self._reply(request)
        headers = {**reply.headers, "x-request-id": name, "request-id": name}
        return Reply(**{field: getattr(reply, field) for field in Reply.__dataclass_fields__} | {"headers": headers})

    def _reply(self, request: Received) -> Reply:
        if SUMMARY_REQUEST.encode() in request.body:
            return Reply(f"They spoke of {self.facts} facts. {AWKWARD}")
        mood = self.random.random()
        if mood < 0.05:
            return Reply(
                f"{AWKWARD} And that is all.", reasoning="Why " + AWKWARD if self.random.random() < 0.5 else ""
            )
        if mood < 0.07:
            return refuse(400, "No " + AWKWARD)
        calls = [self._call() for _ in range(self.random.choice([1, 1, 1, 2, 3]))]
        return Reply("Well. " + AWKWARD if mood < 0.2 else "", calls=tuple(calls))

    def _call(self) -> tuple[str, str]:
        self.facts += 1
        fact = f'F{self.facts} "ö" \\.'
        calls: list[tuple[str, Any]] = [
            ("memory_insert", {"label": "human", "new_string": fact, "insert_line": 0}),
            ("core_memory_append", {"label": "human", "content": fact}),
            ("memory_rethink", {"label": "human", "new_memory": f"All anew.\n{fact}"}),
            ("memory_apply_patch", {"label": "human", "patch": f"+{fact}"}),
            ("memory_replace", {"label": "human", "old_string": "All anew.", "new_string": "Anew."}),
            (
                "memory",
                {"command": "create", "path": f"/memories/own{self.facts}", "description": "x", "file_text": fact},
            ),
            ("memory", {"command": "delete", "path": f"/memories/own{self.facts - 9}"}),
            ("archival_memory_insert", {"content": fact, "tags": ["ships"]}),
            ("archival_memory_search", {"query": "ships"}),
            ("conversation_search", {"query": 'ships "two"'}),
            ("no_such_tool", {}),
            ("memory_insert", "{malformed"),
        ]
        name, arguments = self.random.choice(calls)
        return name, arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[Model]:
    with FakeModelServer() as server:
        for name in ("OPENAI", "OLLAMA"):
            monkeypatch.setenv(f"{name}_BASE_URL", server.url)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.origin)
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
        server.default = model = Model()
        yield model


class World:
    """The agent, and what people and programs do to it between its runs."""

    def __init__(self, agent: Agent, team: Block, own: Tool, file_id: str, folder_id: str) -> None:
        self.agent, self.team, self.own, self.file_id, self.folder_id = agent, team, own, file_id, folder_id
        self.random = Random(1789)
        self.count = 0

    def human(self) -> Block:
        return Block.objects.get(agent_links__agent=self.agent, label="human")

    def modify(self, **changes: Any) -> None:
        agents.modify(self.agent.id, changes)

    def edit_text(self) -> None:
        blocks.modify(self.human().id, {"value": f"{AWKWARD} {self.count}"}, Author.PERSON)

    def edit_facts(self) -> None:
        changes = {"description": f"{AWKWARD} {self.count}", "limit": 20_000 + self.count}
        blocks.modify(self.human().id, changes, Author.API)

    def make_read_only(self) -> None:
        block = self.human()
        blocks.modify(block.id, {"read_only": not block.read_only}, Author.PERSON)

    def restore_block(self) -> None:
        block = self.human()
        blocks.restore(block.id, max(1, block.version - 2), Author.PERSON)

    def share_block(self) -> None:
        held = self.agent.blocks.filter(id=self.team.id).exists()
        (blocks.detach if held else blocks.attach)(self.agent.id, self.team.id)

    def edit_shared_block(self) -> None:
        blocks.modify(self.team.id, {"value": f"We ship {self.count}."}, Author.API)

    def take_tool(self) -> None:
        held = self.agent.tools.filter(id=self.own.id).exists()
        (tools.detach if held else tools.attach)(self.agent.id, self.own.id)

    def rewrite_tool(self) -> None:
        tools.upsert({"source_code": own_tool(f"Say {self.count} é 漢字 <b> & it.")})

    def switch_model(self) -> None:
        self.modify(model=self.random.choice(MODELS))

    def set_temperature(self) -> None:
        self.modify(
            model_settings={"temperature": self.random.choice([0.1, 0.7]), "max_output_tokens": 500 + self.count}
        )

    def at_once(self) -> None:
        self.modify(model_settings={"parallel_tool_calls": self.random.random() < 0.8})

    def rewrite_system(self) -> None:
        self.modify(system=f"Before {AWKWARD} {self.count} {{CORE_MEMORY}} after.")

    def set_rules(self) -> None:
        rules = [{"type": "exit_loop", "tool_name": "conversation_search"}] if self.random.random() < 0.5 else []
        self.modify(tool_rules=rules)

    def open_file(self) -> None:
        is_open = AgentFile.objects.filter(agent=self.agent, file=self.file_id, is_open=True).exists()
        (files.close_file if is_open else files.open_file)(self.agent.id, self.file_id)

    def edit_message(self) -> None:
        """In place, as whoever mends what was said does."""
        thread = Message.objects.filter(agent=self.agent, conversation=None, context_position__gt=0, role=Role.USER)
        if (message := thread.order_by("-seq").first()) is not None:
            message.content = text(f"Mended {self.count}. {AWKWARD}")
            message.save(update_fields=["content"])

    def forget_messages(self) -> None:
        """What was said last is taken out of the context, with the calls and returns before it whole."""
        thread = Message.objects.filter(agent=self.agent, conversation=None, context_position__gt=0)
        ids = list(thread.order_by("context_position", "seq").values_list("id", flat=True))
        self.modify(message_ids=ids[:-1])

    def reset(self) -> None:
        agents.reset_messages(self.agent.id)

    async def store_passage(self) -> None:
        archive = await sync_to_async(archives.own_archive)(self.agent.id)
        await archives.insert(archive, [PassageDraft(archive.id, f"Ship {self.count} came in.")])

    async def compact(self) -> None:
        run_id = new_id("run")
        await queue_compaction(self.agent.id, None, {"mode": "all"}, run_id)
        await execute(self.agent.id, run_id, None, 1)

    @property
    def happenings(self) -> list[Callable[[], Any]]:
        return [
            self.edit_text, self.edit_facts, self.make_read_only, self.restore_block, self.share_block, self.edit_shared_block,
            self.take_tool, self.rewrite_tool, self.switch_model, self.set_temperature, self.at_once, self.rewrite_system,
            self.set_rules, self.open_file, self.edit_message, self.forget_messages, self.reset, self.store_passage, self.compact,
        ]  # fmt: skip

    async def happen(self, what: Callable[[], Any]) -> None:
        self.count += 1
        if what in (self.store_passage, self.compact):
            await what()
        else:
            await sync_to_async(what)()


def own_tool(says: str) -> str:
    return f'def own(x: str) -> str:\n    """Own.\n\n    Args:\n        x: {says}\n    """\n    return x\n'


async def make_world() -> World:
    own = await make_tool(own_tool("Say it."))
    agent = await make_agent(
        model=MODELS[0], tools=TOOLS, context_window=9000, model_settings={"parallel_tool_calls": True}, embedding="local/hashing",
    )  # fmt: skip
    team = await sync_to_async(blocks.create)(label="team", value="We test.")
    folder = await sync_to_async(folders.create)({"name": "Ships", "embedding": "local/hashing"})
    file, _ = await sync_to_async(files.upload)(folder.id, "log.md", f"# Log\n{AWKWARD}\n".encode())
    await process(file.id, 1)
    await sync_to_async(folders.attach)(agent.id, folder.id)
    return World(agent, team, own, file.id, folder.id)


async def run_once(world: World, number: int) -> None:
    said: list[dict[str, Any]] = text(f"{number} {AWKWARD}")
    if number % 17 == 0:
        said = [*said, {"type": "image", "media_type": "image/png", "data": PIXEL}]
    options: dict[str, Any] = {"max_steps": 14}
    if number % 13 == 0:
        options["override_system"] = AWKWARD
    if number % 19 == 0:
        options["override_model"] = MODELS[number % 3]
    sent = await send(world.agent.id, [Input("user", said)], options=RunOptions(**options))
    await execute(world.agent.id, sent.run_id, None, 1)
    assert (await outcome(sent.run_id)).status in ("completed", "failed")


@pytest.mark.timeout(240)
async def test_each_of_a_thousand_steps_is_rebuilt_as_the_server_received_it(model: Model) -> None:
    world = await make_world()
    number = 0
    while len(model.received) < STEPS:
        number += 1
        await world.happen(world.happenings[number % len(world.happenings)])
        await run_once(world, number)
    await sync_to_async(check)(world.agent, model)


def check(agent: Agent, model: Model) -> None:
    steps = list(Step.objects.filter(agent=agent).exclude(request_digest=None).order_by("number"))
    assert len(steps) == len(model.received) >= STEPS
    answered = {step.request_id: step for step in steps if step.request_id}
    # A refusal names no request: those are held to what else came in, in its order.
    refused = [step for step in steps if not step.request_id]
    others = [name for name in model.received if name not in answered]
    sent = [*answered.items(), *zip(others, refused, strict=True)]
    assert len(refused) < len(steps) / 10
    for name, step in sent:
        assert request_bytes(step) == model.received[name or ""], step.number
    check_that_much_happened(agent, steps)


def check_that_much_happened(agent: Agent, steps: list[Step]) -> None:
    assert {step.handle for step in steps} == set(MODELS)
    assert {step.kind for step in steps} == set(StepKind.values)
    assert {step.status for step in steps} == {"success", "failed"}
    assert Eviction.objects.filter(agent=agent).count() > 10
    assert BlockVersion.objects.filter(step__agent=agent).count() > 200
    assert max(ToolCall.objects.filter(agent=agent).values_list("position", flat=True)) == 2
