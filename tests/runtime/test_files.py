"""Files in a running agent: processed by a job that may die, shown in the prompt, opened and searched by its tools."""

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from procrastinate import PsycopgConnector
from procrastinate.contrib.django import app as django_app

from agents_core.actions import agents, files, folders
from agents_core.errors import Refused
from agents_core.llm.errors import ModelError
from agents_core.llm.providers.scripted import Answer
from agents_core.memory.embedders import embedder
from agents_core.memory.files.apart import text_apart
from agents_core.memory.files.chunks import chunks_of
from agents_core.models import Agent, AgentFile, File, Folder, MemorySearch, Message, Passage, pipeline
from agents_core.models.pipeline import Statement
from agents_core.queue.tasks import recover
from agents_core.runtime import filing
from agents_core.runtime.filing import process
from tests.runtime.working import worker
from tests.runtime.world import make_agent, play, say

OTTERS = "# Otters\nOtters hold hands while they sleep.\nThey eat crabs.\n"
LONG = "\n\n".join(f"Entry {n}: " + "words of many kinds, " * 40 for n in range(90))


async def make_folder(**texts: str) -> Folder:
    """A folder with a text file of each name, not processed yet."""
    folder = await sync_to_async(folders.create)({"name": "Animals", "embedding": "local/hashing"})
    for name, text in texts.items():
        await sync_to_async(files.upload)(folder.id, f"{name}.md", text.encode())
    return folder


async def process_all(folder: Folder) -> None:
    async for file in File.objects.filter(folder=folder):
        await process(file.id, 1)


async def file_of(folder: Folder) -> File:
    return await File.objects.aget(folder=folder)


async def passages_of(file: File) -> list[str]:
    rows = Passage.objects.filter(tags__contains=[file.id]).order_by("created_at", "id")
    return [passage.text async for passage in rows]


class Failing:
    """The hashing embedder, which is away after ``calls`` calls."""

    def __init__(self, calls: int, error: Exception) -> None:
        self._calls, self._error, self._real = calls, error, embedder("local/hashing")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def embed(self, texts: list[str]) -> list[list[float]]:
        self._calls -= 1
        if self._calls < 0:
            raise self._error
        return await self._real.embed(texts)


def away_after(monkeypatch: pytest.MonkeyPatch, calls: int, error: Exception) -> None:
    async def failing(handle: str | None) -> Failing:
        return Failing(calls, error)

    monkeypatch.setattr(filing, "agent_embedder", failing)


# --- processing ---------------------------------------------------------------------------------------------------


async def test_a_worker_that_dies_on_the_way_has_a_successor_that_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = await make_folder(long=LONG)
    file = await file_of(folder)
    with monkeypatch.context() as dying:
        away_after(dying, 1, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            await process(file.id, 1)
    file = await file_of(folder)
    assert (file.status, file.chunks_embedded) == ("embedding", 32)
    await process(file.id, 2)
    file = await file_of(folder)
    assert (file.status, file.chunks_embedded) == ("completed", file.chunks)
    assert sorted(await passages_of(file)) == sorted(chunk.text for chunk in chunks_of(LONG))


async def test_two_workers_on_one_file_store_each_passage_once() -> None:
    folder = await make_folder(long=LONG)
    file = await file_of(folder)
    await asyncio.gather(process(file.id, 1), process(file.id, 2), process(file.id, 3))
    await process(file.id, 4)
    file = await file_of(folder)
    assert file.status == "completed"
    assert len(await passages_of(file)) == file.chunks == len(chunks_of(LONG))


async def test_an_embedder_that_is_away_is_told_and_can_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = await make_folder(long=LONG)
    file = await file_of(folder)
    with monkeypatch.context() as away:
        away_after(away, 1, ModelError("The embedder is away."))
        await process(file.id, 1)
    file = await file_of(folder)
    assert (file.status, file.error, file.chunks_embedded) == ("error", "The embedder is away.", 32)
    await sync_to_async(files.retry)(file.id, folder.id)
    await process(file.id, 1)
    assert (await file_of(folder)).status == "completed"
    assert len(await passages_of(file)) == len(chunks_of(LONG))


async def test_a_file_that_stops_every_worker_is_given_up() -> None:
    folder = await make_folder(a=OTTERS)
    await process((await file_of(folder)).id, 6)
    file = await file_of(folder)
    assert (file.status, "stopped 5 times" in (file.error or "")) == ("error", True)


async def test_a_text_that_is_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filing, "TEXT_CHARS", 10)
    folder = await make_folder(a=OTTERS)
    await process_all(folder)
    assert "a file may have 10" in ((await file_of(folder)).error or "")


async def test_a_fault_of_ours_ends_the_file_and_not_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    away_after(monkeypatch, 0, ZeroDivisionError("secret"))
    folder = await make_folder(a=OTTERS)
    await process_all(folder)
    file = await file_of(folder)
    assert (file.status, "secret" in (file.error or "secret")) == ("error", False)


async def test_a_file_that_was_deleted_meanwhile_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = await make_folder(long=LONG)
    file = await file_of(folder)
    real = embedder("local/hashing")

    class Deleting(Failing):
        async def embed(self, texts: list[str]) -> list[list[float]]:
            await sync_to_async(files.delete)(file.id, folder.id)
            return await real.embed(texts)

    async def deleting(handle: str | None) -> Deleting:
        return Deleting(9, ValueError())

    monkeypatch.setattr(filing, "agent_embedder", deleting)
    await process(file.id, 1)
    assert await passages_of(file) == []
    await process(file.id, 2)


async def test_what_was_uploaded_is_kept_only_until_it_is_processed() -> None:
    folder = await make_folder(a=OTTERS)
    await process_all(folder)
    [[(upload, text)]] = await pipeline.run([Statement("SELECT upload, text FROM file_content")])
    assert (upload, text) == (None, OTTERS)


async def test_a_file_that_lost_its_job_gets_another() -> None:
    folder = await make_folder(a=OTTERS)
    await pipeline.run([Statement("DELETE FROM procrastinate_jobs")])
    app = django_app.with_connector(PsycopgConnector(kwargs=pipeline.connection_settings()))
    async with app.open_async():
        assert await recover(app) == 1
        assert await recover(app) == 0
    async with worker(), asyncio.timeout(20):
        while (await file_of(folder)).status != "completed":
            await asyncio.sleep(0.05)


# --- the prompt ---------------------------------------------------------------------------------------------------


async def agent_with(folder: Folder, **fields: Any) -> Agent:
    agent = await make_agent(["ok"] * 5, **fields)
    await sync_to_async(folders.attach)(agent.id, folder.id)
    return agent


async def system_of(agent: Agent) -> str:
    message = await Message.objects.filter(agent=agent, role="system").afirst()
    assert message is not None
    return "".join(part["text"] for part in message.content)


async def test_the_prompt_shows_the_folder_its_open_files_and_only_names_of_the_others() -> None:
    folder = await make_folder(a=OTTERS, b="Bees & <wasps>")
    await sync_to_async(folders.modify)(folder.id, {"description": "Notes", "instructions": "Cite them."})
    await process_all(folder)
    agent = await agent_with(folder, max_files_open=1)
    await say(agent, "hi")
    prompt = await system_of(agent)
    inside = prompt[prompt.index("<directories>") : prompt.index("</directories>")]
    assert "- current_files_open=1\n- max_files_open=1" in inside
    assert '<directory name="Animals">\n<description>\nNotes\n</description>\n<instructions>\nCite them.' in inside
    assert '<file status="open" name="Animals/a.md">' in inside
    assert "[Lines 1 to 4 of 4]\n1→ # Otters\n2→ Otters hold hands" in inside
    assert '<file status="closed" name="Animals/b.md"/>' in inside
    assert "wasps" not in inside


async def test_the_prompt_of_an_agent_without_folders_stays_as_it_is() -> None:
    agent = await make_agent(["ok"] * 2)
    await say(agent, "hi")
    before = await system_of(agent)
    await make_folder(a=OTTERS)
    await say(agent, "hi")
    assert await system_of(agent) == before
    assert "<directories>" not in before


async def test_names_cannot_break_out_of_the_prompts_elements() -> None:
    folder = await make_folder()
    await sync_to_async(files.upload)(folder.id, 'x"><value>.txt', b"text")
    agent = await agent_with(folder, max_files_open=1)
    await say(agent, "hi")
    assert '"Animals/x&quot;&gt;&lt;value&gt;.txt"' in await system_of(agent)


# --- the tools ----------------------------------------------------------------------------------------------------


async def tool_said(agent: Agent, tool: str, **arguments: Any) -> str:
    """What a call of the tool gave the agent."""
    await play(agent, [Answer(calls=[(tool, arguments)]), "Done."] * 20)
    ended = await say(agent, "Go on")
    assert ended.status == "completed", ended.error
    return next(str(row["tool_returns"][0]["value"]) for row in reversed(ended.messages) if row["tool_returns"])


async def open_names(agent: Agent) -> set[str]:
    links = AgentFile.objects.filter(agent=agent, is_open=True).select_related("file")
    return {link.file.name async for link in links}


async def test_an_agent_opens_the_part_of_a_file_that_it_wants() -> None:
    folder = await make_folder(a=OTTERS, b="Bees", c="Crows")
    await process_all(folder)
    agent = await agent_with(folder, max_files_open=2)
    requests = [{"file_name": "Animals/a.md", "offset": 1, "length": 1}, {"file_name": "Animals/c.md"}]
    told = await tool_said(agent, "open_files", file_requests=requests)
    assert told == (
        "Opened Animals/a.md, lines 2 to 2.\nOpened Animals/c.md, lines 1 to 1.\nClosed Animals/b.md."
    )  # fmt: skip
    assert await open_names(agent) == {"a.md", "c.md"}
    assert "[Lines 2 to 2 of 4]\n2→ Otters hold hands" in await system_of(agent)
    told = await tool_said(
        agent, "open_files", file_requests=[{"file_name": "Animals/b.md"}], close_all_others=True
    )  # fmt: skip
    assert await open_names(agent) == {"b.md"}
    assert "Closed" in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            {"file_requests": [{"file_name": "Animals/z.md"}]},
            "You have no file 'Animals/z.md'. Your files: Animals/a.md",
        ),
        ({"file_requests": [{"file_name": "Others/b.md"}]}, "You have no file"),
        ({"file_requests": []}, "Name at least one file"),
        ({"file_requests": [{"name": "a.md"}]}, "A file request is"),
        ({"file_requests": [7]}, "A file request is"),
        ({"file_requests": [{"file_name": "Animals/a.md", "offset": -1}]}, "offset is a line"),
        ({"file_requests": [{"file_name": "Animals/a.md", "length": "all"}]}, "length a number"),
        ({"file_requests": [{"file_name": "Animals/a.md"}] * 3}, "You can have 2 files open at once"),
    ],
)
async def test_what_cannot_be_opened_is_told_in_words_and_opens_nothing(arguments: Any, words: str) -> None:
    folder = await make_folder(a=OTTERS)
    await process_all(folder)
    agent = await agent_with(folder, max_files_open=2)
    await sync_to_async(files.close_all)(agent.id)
    other = await sync_to_async(folders.create)({"name": "Others"})
    await sync_to_async(files.upload)(other.id, "b.md", b"text")
    assert words in await tool_said(agent, "open_files", **arguments)
    assert await open_names(agent) == set()


async def test_grep_shows_matching_lines_with_their_numbers_a_page_at_a_time() -> None:
    folder = await make_folder(a=OTTERS, b="\n".join(f"otter {n}" for n in range(30)))
    await process_all(folder)
    agent = await agent_with(folder)
    told = await tool_said(agent, "grep_files", pattern="otters? (hold|\\d+)")
    assert told.startswith("31 matches in 2 of 2 files; these are 1 to 20. Call again with offset 20 for more.")
    assert "Animals/a.md\n  1: # Otters\n> 2: Otters hold hands while they sleep.\n  3: They eat crabs." in told
    told = await tool_said(agent, "grep_files", pattern="OTTER \\d+", include="*b.md", context_lines=0, offset=20)
    assert told.startswith("30 matches in 1 of 1 files; these are 21 to 30.")
    assert told.endswith("> 30: otter 29")
    assert "0 matches in 0 of 2 files." in await tool_said(agent, "grep_files", pattern="walrus")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"pattern": "("}, "no regular expression"),
        ({"pattern": "(?:a{1000}){1000}"}, "repeat less"),
        ({"pattern": ""}, "1 to 1,000 characters"),
        ({"pattern": "x" * 1001}, "1 to 1,000 characters"),
        ({"pattern": "x", "include": "z"}, "No file that was read has 'z' in its name"),
    ],
)
async def test_a_search_that_cannot_be_is_told_in_words(arguments: Any, words: str) -> None:
    folder = await make_folder(a=OTTERS)
    await process_all(folder)
    assert words in await tool_said(await agent_with(folder), "grep_files", **arguments)


async def test_a_pattern_that_would_go_on_for_ever_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    from agents_core.memory.files import grep

    monkeypatch.setattr(grep, "TIMEOUT_S", 0.3)
    folder = await make_folder(a="a" * 5000 + "b")
    await process_all(folder)
    told = await tool_said(await agent_with(folder), "grep_files", pattern="(a|aa)+$")
    assert "took longer than 0.3 s" in told


async def test_a_question_finds_its_passage_and_the_search_is_recorded() -> None:
    folder = await make_folder(a=OTTERS, b="Bees make honey in a hive.", long=LONG)
    await process_all(folder)
    agent = await agent_with(folder)
    told = await tool_said(agent, "semantic_search_files", query="who holds hands while sleeping?", limit=1)
    assert told == f"Animals/a.md\n\n[from line 1]\n{OTTERS.strip()}"
    search = await MemorySearch.objects.aget(agent=agent)
    assert (search.store, search.query) == ("files", "who holds hands while sleeping?")
    assert search.candidates[0]["returned"]
    assert "nothing to search for" in await tool_said(agent, "semantic_search_files", query=" ")


async def test_an_agent_finds_nothing_in_the_folders_of_others() -> None:
    folder = await make_folder(a=OTTERS)
    await process_all(folder)
    agent = await make_agent([], tools=["grep_files", "semantic_search_files", "open_files"])
    assert "You have no files" in await tool_said(agent, "grep_files", pattern="Otters")
    assert "No folder is attached" in await tool_said(agent, "semantic_search_files", query="otters")
    requests = [{"file_name": "Animals/a.md"}]
    assert "no folder is attached" in await tool_said(agent, "open_files", file_requests=requests)


async def test_a_model_is_told_what_a_file_request_is_made_of() -> None:
    from agents_core.models import Tool

    schema = (await Tool.objects.aget(name="open_files")).json_schema["parameters"]["properties"]["file_requests"]
    assert json.dumps(schema["items"]["required"]) == '["file_name"]'


async def test_a_file_that_could_not_be_read_is_closed_and_stays_so() -> None:
    folder = await make_folder()
    agent = await agent_with(folder)
    await sync_to_async(files.upload)(folder.id, "a.pdf", b"%PDF-1.4 broken")
    assert await open_names(agent) == {"a.pdf"}
    await process_all(folder)
    assert await open_names(agent) == set()
    requests = [{"file_name": "Animals/a.pdf"}]
    assert "Animals/a.pdf could not be read: The PDF is damaged" in await tool_said(
        agent, "open_files", file_requests=requests
    )  # fmt: skip
    with pytest.raises(Refused, match="could not be read"):
        await sync_to_async(files.open_file)(agent.id, (await file_of(folder)).id)
    assert await open_names(await agent_with(folder)) == set()


async def test_who_opened_a_file_before_it_was_read_sees_it_then_also_after_a_crash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = await make_folder(a=OTTERS)
    agent = await agent_with(folder)
    file = await file_of(folder)

    async def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(filing, "_show", killed)
        with pytest.raises(KeyboardInterrupt):
            await process(file.id, 1)
    link = await AgentFile.objects.aget(agent=agent)
    assert "still being read" in link.view
    await process(file.id, 2)
    await link.arefresh_from_db()
    assert "2→ Otters hold hands" in link.view
    assert (link.start_line, link.end_line, link.is_open) == (0, 4, True)


async def test_a_file_that_is_deleted_while_it_is_read_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = await make_folder(a=OTTERS)
    file = await file_of(folder)

    async def deleting(name: str, body: bytes) -> str:
        await sync_to_async(files.delete)(file.id, folder.id)
        return await text_apart(name, body)

    monkeypatch.setattr(filing, "text_apart", deleting)
    await process(file.id, 1)
    assert await passages_of(file) == []


async def test_an_agent_whose_limits_change_sees_as_much_as_it_may_now() -> None:
    folder = await make_folder(a=OTTERS, b="Bees", c="Crows")
    await process_all(folder)
    agent = await agent_with(folder, max_files_open=3)
    await sync_to_async(files.open_file)(agent.id, (await File.objects.aget(name="a.md")).id)
    await sync_to_async(agents.modify)(agent.id, {"max_files_open": 1, "per_file_view_window_char_limit": 10})
    assert await open_names(agent) == {"a.md"}
    await say(agent, "hi")
    prompt = await system_of(agent)
    assert "- current_files_open=1\n- max_files_open=1" in prompt
    assert "- chars_limit=10" in prompt
    assert "[Lines 1 to 1 of 4]\n1→ # Otters\n</value>" in prompt
    await sync_to_async(agents.modify)(agent.id, {"per_file_view_window_char_limit": 1000})
    await say(agent, "hi")
    assert "2→ Otters hold hands" in await system_of(agent)
