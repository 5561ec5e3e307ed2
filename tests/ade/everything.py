"""An installation with a little of everything, for tests that read all pages. Names are Greek: no word of a page is."""

from collections.abc import Iterator
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from ade import documents
from ade.tool_source import NEW_PYTHON
from agents_core.actions import agents, batches, breakpoints, tool_cases, tools
from agents_core.actions.batches import Request
from agents_core.actions.messages import Input, RunOptions, send
from agents_core.actions.new_agent import NewAgent
from agents_core.actions.tool_cases import Wanted
from agents_core.llm import presets
from agents_core.models import (
    Agent,
    Block,
    Branch,
    Comparison,
    Conversation,
    Experiment,
    File,
    Folder,
    Fork,
    Group,
    McpServer,
    Message,
    Passage,
    Pause,
    Run,
    Tool,
    Variant,
)  # fmt: skip
from agents_core.runtime.loop import execute
from tests.running import finish

SOURCE = 'def open_door(number: int) -> str:\n    """Ω\n\n    Args:\n        number: Ω\n    """\n    return "Ω"\n'


CHECK = {
    "at": "2026-11-26T05:00:00+00:00",
    "problem": "",
    "about": "ω",
    "took_ms": 12.0,
    "protocol": "1",
    "tools": 1,
    "resources": [],
    "prompts": [],
}
SAID = (
    "My name is Ada and I live in Porto.",
    "Remember that the spare key is with the neighbour.",
    "Search archival for spare key",
)

CALLS = ("call open_safe with number=1", "call open_door with number=4")


def say(agent: Agent, text: str) -> None:
    run = finish(send(agent.id, [Input("user", [{"type": "text", "text": text}])]))
    finish(execute(agent.id, run.run_id, None, 1))


def everything(client: Client) -> dict[str, str]:
    """Makes it, by actions and by the forms of the pages, and gives its ids."""
    tool = tools.upsert({"source_code": SOURCE})
    asking = tools.upsert({"source_code": SOURCE.replace("open_door", "open_safe"), "default_requires_approval": True})
    agent = agents.create(
        NewAgent(
            name="Ωμέγα",
            model="offline/rules",
            memory_blocks=[{"label": "human", "value": ""}, {"label": "ψ", "value": "sk-0123456789abcdefghijklmn"}],
            tools=["archival_memory_insert", "archival_memory_search", "open_door"],
            tags=["χ"],
        )
    )
    for text in SAID:
        say(agent, text)
    waiting = agents.create(NewAgent(name="Σίγμα", model="offline/rules", tool_ids=[asking.id]))
    say(waiting, CALLS[0])
    failed = agents.create(NewAgent(name="Φι", model="offline/missing", memory_blocks=[{"label": "ξ", "value": ""}]))
    say(failed, "Hi")
    stands = agents.create(NewAgent(name="Πι", model="offline/rules", tool_ids=[tool.id]))
    breakpoints.create(stands.id, "tool", target="open_door", condition="1 == 1")
    say(stands, CALLS[1])
    ids = {"agent": agent.id, "waiting": waiting.id, "failed": failed.id, "stands": stands.id, "tool": tool.id}
    return {**ids, **made_by_hand(client, agent)}


def made_by_hand(client: Client, agent: Agent) -> dict[str, str]:
    """What a person adds on the pages."""
    own = f"/agents/{agent.id}"
    block = Block.objects.get(agents=agent, label="human")

    def post(path: str, status: int = 204, **form: object) -> None:
        answer = client.post(path, form)
        assert answer.status_code == status, (path, answer.status_code, answer.content[:500])

    post(f"{own}/breakpoints", 200, kind="block_write", target="human", log="ω", nth="2", everywhere="1")
    post(f"{own}/watches", 200, expression="len(block.human)", name="ω")
    post(f"{own}/settings/rules", 200, type="exit_loop", tool_name="open_door")
    post(f"{own}/settings/rules", 200, type="requires_approval", tool_name="open_door")
    post(f"{own}/variables", 200, key="KEY", value="ω")
    post(f"{own}/schedules", 200, text="ω", role="user", repeats="cron", cron="0 9 * * 1-5")
    post(f"{own}/conversations", 200, summary="ω")
    post(f"{own}/sleeptime/enable", 200)
    post(f"{own}/steps/2/fork", name="Ωφ", model="offline/rules")
    post(f"{own}/steps/3/rewind", name="Ωρ")
    post(f"{own}/passages", text="ω", tags="ω")
    post(f"{own}/compare/create", step="1", model=["offline/rules", "offline/rules-8k"])
    post(f"{own}/steps/1/again/make", 302, model="offline/rules-8k")
    post("/groups/new", 302, description="Ωγ", manager_type="round_robin", members=[agent.id])
    post("/folders/new", 302, name="Ωδ", description="ω")
    folder = Folder.objects.get()
    client.post(f"/folders/{folder.id}/upload", {"files": SimpleUploadedFile("ω.txt", b"1")})
    post(f"{own}/folders", folder=folder.id)
    tool_cases.save(Tool.objects.get(name="open_door").id, Wanted("ω", {"number": 1}, "equals", "Ω"))
    server = McpServer.objects.create(name="ω", kind="streamable_http", url="http://localhost:1/mcp", last_check=CHECK)
    failed = Agent.objects.get(name="Φι")
    request = Request(failed.id, [Input("user", [{"type": "text", "text": "ω"}])], RunOptions())
    return {
        "block": block.id,
        "group": Group.objects.get(description="Ωγ").id,
        "tending": Group.objects.get(manager=agent).id,
        "batch": finish(batches.create([request], "http://localhost:1/ω")).id,
        "folder": folder.id,
        "file": File.objects.get().id,
        "server": server.id,
        "comparison": Comparison.objects.get().id,
        "experiment": Experiment.objects.get().id,
        "branch": Branch.objects.get().id,
        "fork": Fork.objects.get(agent__name="Ωφ").agent_id,
        "passage": Passage.objects.filter(text="ω").get().id,
        "conversation": Conversation.objects.get().id,
    }


def everything_written() -> set[str]:
    """All texts of the rows that pages show, and the names of providers."""
    rows = [
        *Message.objects.values_list("content", flat=True),
        *Block.objects.values_list("label", "value", "description"),
        *Tool.objects.values_list("description", "source_code", "json_schema"),
        *Agent.objects.values_list("name", "description"),
        *Group.objects.values_list("description"),
        *(f"{name} · Mnemoscope" for name in Group.objects.values_list("description", flat=True)),
        *Variant.objects.values_list("label"),
        *Run.objects.values_list("error"),
        *Pause.objects.values_list("reasons"),
        *(preset.label for preset in presets.PRESETS.values()),
        *(text for name in documents.names() for text in titles(documents.document(name))),
        NEW_PYTHON,
        *SAID,
        *CALLS,
    ]
    return {" ".join(text.split()) for text in texts_in(rows)}


def titles(document: documents.Document) -> list[str]:
    return [document.title, f"{document.title} · · Mnemoscope", *(section.text for section in document.sections)]


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from (value, *value.splitlines())
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ():
        yield from texts_in(each)
