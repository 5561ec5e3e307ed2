"""Five hundred edits of one block by four authors: each sentence names who wrote it, at which step, and because of which message.

The test keeps its own account: it knows what each edit did to which sentence, because it made the edit. Sentences hold a word that no
other one holds, and so does each message; steps are counted as the model is asked.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

import pytest
from asgiref.sync import sync_to_async

from agents_core.actions import blocks
from agents_core.llm.providers.scripted import Answer
from agents_core.memory.origins import origins
from agents_core.models import Agent, Author, Block, Group, Run, ToolCall
from agents_core.runtime.loop import execute
from tests.runtime.world import make_agent, play, say

EDITS = 500
TOOLS = [
    "core_memory_append", "core_memory_replace", "memory_insert", "memory_replace", "memory_rethink", "memory_apply_patch", "memory",
]  # fmt: skip
WORDS = [
    "tea",
    "rome",
    "green",
    "book",
    "train",
    "seven",
    "river",
    "likes",
    "never",
    "often",
    "blue",
    "garden",
    "winter",
    "piano",
    "walks",
    "north",
]


@dataclass(frozen=True)
class Fact:
    """A sentence. ``owner``: who wrote its newest word: the author, the number of the step, the word of the message."""

    words: tuple[str, ...]
    owner: tuple[str, int | None, str]

    @property
    def text(self) -> str:
        return " ".join(self.words) + "."

    @property
    def mark(self) -> str:
        return self.words[0]


FIRST = Fact(("Fact0", "stood", "here", "before"), ("api", None, ""))


@dataclass
class Account:
    """What the block must hold, as lines of sentences, and all that it held before, by version."""

    random: Random
    lines: list[list[Fact]] = field(default_factory=lambda: [[FIRST]])
    kept: dict[int, list[list[Fact]]] = field(default_factory=dict)
    version: int = 1
    marks: int = 0

    @property
    def text(self) -> str:
        return "\n".join(" ".join(fact.text for fact in line) for line in self.lines)

    def new(self, owner: tuple[str, int | None, str]) -> Fact:
        self.marks += 1
        return Fact((f"Fact{self.marks}", *self.random.choices(WORDS, k=self.random.randint(3, 8))), owner)

    def any(self) -> tuple[int, int]:
        line = self.random.randrange(len(self.lines))
        return line, self.random.randrange(len(self.lines[line]))

    def written(self) -> None:
        self.version += 1
        self.kept[self.version] = [list(line) for line in self.lines]


Owner = tuple[str, int | None, str]
Call = tuple[str, dict[str, object]]
Edit = Callable[[Account, Owner], Call]


def append(account: Account, owner: Owner) -> Call:
    fact = account.new(owner)
    account.lines.append([fact])
    return "core_memory_append", {"label": "human", "content": fact.text}


def insert(account: Account, owner: Owner) -> Call:
    facts = [account.new(owner) for _ in range(account.random.randint(1, 2))]
    at = account.random.randint(0, len(account.lines))
    account.lines.insert(at, facts)
    return "memory_insert", {
        "label": "human", "new_string": " ".join(fact.text for fact in facts), "insert_line": at,
    }  # fmt: skip


def reword(account: Account, owner: Owner) -> Call:
    """One word of a sentence becomes another that was not in it: the sentence is the rewriter's now."""
    line, at = account.any()
    old = account.lines[line][at]
    place = account.random.randrange(1, len(old.words))
    account.marks += 1
    new = Fact((*old.words[:place], f"word{account.marks}", *old.words[place + 1 :]), owner)
    account.lines[line][at] = new
    return "memory_replace", {"label": "human", "old_string": old.text, "new_string": new.text}


def lengthen(account: Account, owner: Owner) -> Call:
    line, at = account.any()
    old = account.lines[line][at]
    account.marks += 1
    new = Fact((*old.words, f"more{account.marks}"), owner)
    account.lines[line][at] = new
    return "core_memory_replace", {"label": "human", "old_content": old.text, "new_content": new.text}


def trim(account: Account, _: Owner) -> Call:
    """The last words go: the sentence stays whose it was, unless those were its owner's only ones; so only old sentences are trimmed."""
    line, at = account.any()
    old = account.lines[line][at]
    if len(old.words) < 5 or any(word.startswith(("more", "word")) for word in old.words):
        return lengthen(account, _)
    new = replace(old, words=old.words[:-1])
    account.lines[line][at] = new
    return "memory_replace", {"label": "human", "old_string": old.text, "new_string": new.text}


def exchange(account: Account, owner: Owner) -> Call:
    """A sentence goes and another stands in its place."""
    line, at = account.any()
    old, new = account.lines[line][at], account.new(owner)
    account.lines[line][at] = new
    return "memory", {
        "command": "str_replace", "path": "/memories/human", "old_string": old.text, "new_string": new.text,
    }  # fmt: skip


def delete(account: Account, owner: Owner) -> Call:
    if len(account.lines) < 12:
        return append(account, owner)
    line = account.random.randrange(len(account.lines))
    gone = account.lines.pop(line)
    return "memory_apply_patch", {"label": "human", "patch": "-" + " ".join(fact.text for fact in gone)}


def reorder(account: Account, _: Owner) -> Call:
    account.random.shuffle(account.lines)
    return "memory_rethink", {"label": "human", "new_memory": account.text}


def rewrite(account: Account, owner: Owner) -> Call:
    """All at once: lines change places, sentences go, come and are reworded."""
    for edit in (reword, delete, insert, lengthen):
        edit(account, owner)
    return reorder(account, owner)


EDITORS: list[Edit] = [append, insert, reword, lengthen, trim, exchange, delete, reorder, rewrite]


class Story:
    """The four authors at work on one block."""

    def __init__(self, agent: Agent, companion: Agent, block: Block) -> None:
        self.agent, self.companion, self.block = agent, companion, block
        self.random = Random(1789)
        self.account = Account(self.random)
        self.steps = {agent.id: 0, companion.id: 0}
        self.messages = 0
        self.used: set[tuple[str, str]] = set()

    @property
    def edits(self) -> int:
        return self.account.version - 1

    def one(self, author: str, step: int | None, message: str) -> Call:
        """An edit, in the account at once; the call that makes it so."""
        before = self.account.text
        while True:
            edit = self.random.choice(EDITORS) if len(self.account.lines) > 3 else append
            call = edit(self.account, (author, step, message))
            if self.account.text != before:
                break
        self.account.written()
        self.used.add((author, edit.__name__))
        return call

    def answers(self, whose: Agent, author: str, message: str) -> list[Answer | str]:
        """What the model answers to one message: edits, sometimes two in one step, and a last word."""
        given: list[Answer | str] = []
        for _ in range(self.random.randint(1, 2)):
            self.steps[whose.id] += 1
            step = self.steps[whose.id]
            at_once = self.random.randint(1, 3) if whose is self.agent else 1  # the other one's rules order its calls
            given.append(Answer(calls=[self.one(author, step, message) for _ in range(at_once)]))
        self.steps[whose.id] += 1
        return [*given, "Done."]

    async def turn(self) -> None:
        """A message, the agent's edits and those of the agent that tends its memory."""
        self.messages += 1
        message = f"message{self.messages}"
        await play(self.agent, self.answers(self.agent, "agent", message))
        assert (await say(self.agent, f"Please note {message}.")).status == "completed"
        await play(self.companion, self.answers(self.companion, "sleeptime", message))
        run = await Run.objects.aget(agent=self.companion, status="created")
        await execute(self.companion.id, run.id, None, 1)
        failed = ToolCall.objects.exclude(status="ok").values_list("name", "arguments", "result")
        assert [call async for call in failed] == []
        await self.block.arefresh_from_db()
        assert (self.block.value, self.block.version) == (self.account.text, self.account.version)

    async def by_hand(self, author: Author) -> None:
        """A person or a program writes the whole text, or brings an older one back."""
        account = self.account
        if account.version > 20 and self.random.random() < 0.25:
            older = self.random.choice([account.version - 1, account.version - 2, account.version - 15])
            account.lines = [list(line) for line in account.kept[older]]
            made = await sync_to_async(blocks.restore)(self.block.id, older, author, account.version)
            if made.version > account.version:
                account.written()
                self.used.add((author.value, "undo"))
            return
        seen = account.version
        self.one(author.value, None, "")
        await sync_to_async(blocks.modify)(self.block.id, {"value": account.text}, author, seen)


async def begun() -> Story:
    agent = await make_agent(
        ["x"], blocks=[{"label": "human", "value": FIRST.text}], tools=TOOLS, enable_sleeptime=True, name="Ada",
        model_settings={"parallel_tool_calls": True}, context_window=1_000_000,
    )  # fmt: skip
    group = await Group.objects.aget(manager=agent)
    await Group.objects.filter(id=group.id).aupdate(sleeptime_agent_frequency=None)
    companion = await Agent.objects.aget(group_links__group=group)
    companion.model = f"scripted/{companion.id}"
    await companion.asave(update_fields=["model"])
    await sync_to_async(_give_tools)(companion)
    return Story(agent, companion, await Block.objects.aget(agent_links__agent=agent))


def _give_tools(companion: Agent) -> None:
    from agents_core.actions import tools
    from agents_core.models import Tool

    for tool in Tool.objects.filter(name__in=TOOLS):
        tools.attach(companion.id, tool.id)


def check(story: Story) -> None:
    found = {origin.sentence.text.split()[0]: origin for origin in origins(story.block)}
    facts = [fact for line in story.account.lines for fact in line]
    assert list(found) == [fact.mark for fact in facts]
    for fact in facts:
        author, step, message = fact.owner
        origin = found[fact.mark]
        version = origin.version
        assert (version.author, version.step and version.step.number) == (author, step), fact
        assert version.agent_id == {"agent": story.agent.id, "sleeptime": story.companion.id}.get(author), fact
        if message:
            assert origin.cause is not None
            assert origin.cause.text == f"Please note {message}.", fact
            assert origin.cause.agent_id == story.agent.id
        else:
            assert origin.cause is None


@pytest.mark.timeout(180)
async def test_after_five_hundred_edits_each_sentence_names_its_author_step_and_message() -> None:
    story = await begun()
    checked = 0
    while story.edits < EDITS:
        await story.turn()
        for author in (Author.PERSON, Author.API, Author.PERSON, Author.API):
            await story.by_hand(author)
        if story.edits >= checked + 100:
            checked = story.edits
            await sync_to_async(check)(story)
    await story.block.arefresh_from_db()
    assert (story.block.value, story.block.version) == (story.account.text, story.account.version)
    await sync_to_async(check)(story)
    every = {(author, edit.__name__) for author in ("agent", "sleeptime", "person", "api") for edit in EDITORS}
    assert story.used >= every | {("person", "undo"), ("api", "undo")}
