"""An agent that has lived: its model stores, edits and forgets, tools come and go, its context is compacted, people edit."""

from asgiref.sync import sync_to_async

from agents_core.actions import agents, archives, blocks
from agents_core.actions.compaction import queue_compaction
from agents_core.llm.offline.summary import SUMMARY_REQUEST
from agents_core.llm.providers.scripted import Answer, Scripted
from agents_core.llm.types import ModelRequest
from agents_core.models import Agent, Message, Passage, Step, new_id
from agents_core.runtime.loop import execute
from tests.runtime.world import make_agent, say, text

TOOLS = ["core_memory_append", "archival_memory_insert"]


def wrote(number: int) -> Answer:
    return Answer(
        calls=[("core_memory_append", {"label": "human", "content": f"Fact {number}."})]
        if number % 2
        else [("archival_memory_insert", {"content": f"Passage {number} of the log.", "tags": [f"t{number % 3}"]})]
    )


def answers(times: int) -> list[Scripted]:
    """Each message is answered with a memory call and a sentence: two steps; a summary whenever one is asked for."""
    played = iter([each for number in range(times) for each in (wrote(number), f"Noted {number}.")])

    def model(request: ModelRequest) -> str | Answer:
        return "They made notes." if request.system.startswith(SUMMARY_REQUEST) else next(played)

    return [model] * (times * 3)


async def lived(times: int, **fields: object) -> Agent:
    agent = await make_agent(answers(500), tools=TOOLS, name="Ada's friend", **fields)
    await live(agent, times)
    return agent


async def live(agent: Agent, times: int) -> None:
    for number in range(times):
        ended = await say(agent, f"Note this, number {number}.")
        assert ended.status == "completed", ended.error


async def upheaval(agent: Agent) -> None:
    """All that can change in an agent beside its own doing."""
    first = await passage_of(agent, "Passage 0")
    second = await passage_of(agent, "Passage 2")
    await archives.edit_passage(first.id, [first.archive_id], {"text": "Passage 0, put right.", "tags": ["new"]})
    await sync_to_async(archives.delete_passage)(second.id, [second.archive_id])
    block = await sync_to_async(blocks.of_agent)(agent.id, "human")
    await sync_to_async(blocks.modify)(block.id, {"value": "Somebody else.", "limit": 999})
    extra = await sync_to_async(blocks.create)(label="extra", value="More.")
    await sync_to_async(blocks.attach)(agent.id, extra.id)
    await sync_to_async(agents.modify)(agent.id, {"system": "Be brief.", "model_settings": {"temperature": 0.1}})
    tools = await sync_to_async(agents.tools_named)(["conversation_search", TOOLS[1]])
    await sync_to_async(agents.modify)(agent.id, {"tool_ids": [tool.id for tool in tools]})
    said = await Message.objects.filter(agent=agent, role="user").order_by("seq").afirst()
    await Message.objects.filter(pk=said.pk).aupdate(content=text("Something else was said."))


async def compacted(agent: Agent) -> None:
    run_id = new_id("run")
    await queue_compaction(agent.id, None, {"mode": "all"}, run_id)
    await execute(agent.id, run_id, None, 1)


async def passage_of(agent: Agent, words: str) -> Passage:
    return await Passage.objects.aget(archive__agents=agent, text__startswith=words)


async def step_numbers(agent: Agent) -> list[int]:
    steps = Step.objects.filter(agent=agent, kind="agent").exclude(segments=[])
    return [number async for number in steps.order_by("number").values_list("number", flat=True)]
