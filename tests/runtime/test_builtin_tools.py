"""The tools that reach out of the step, in a running agent: code and the web."""

import asyncio
import json
import shutil
import threading
from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async

from agents_core.actions import tools
from agents_core.events.types import ToolCalled
from agents_core.llm.providers.scripted import Answer
from agents_core.models import ToolCall
from tests.runtime.world import events, make_agent, make_tool, say
from tests.tools.site import Answer as Page
from tests.tools.site import Site

FOUND = {"results": [{"title": "Otters", "url": "https://otters.example", "content": "They hold hands."}]}
DOUBLE = '''
def double(number: int) -> int:
    """Doubles.

    Args:
        number: A number.
    """
    return number * 2
'''


async def test_a_search_with_the_agents_own_setting_is_told_of_before_it_answers() -> None:
    go_on = threading.Event()

    def slowly(write: Callable[[bytes], object]) -> None:
        go_on.wait(20)
        write(json.dumps(FOUND).encode())

    call = Answer(calls=[("web_search", {"query": "otters"})])
    with Site({"/search": Page(slowly, "application/json")}) as site:
        agent = await make_agent(
            [call, "Done."], tools=["web_search"], secrets={"SEARXNG_URL": site.at("", "127.0.0.1")}
        )
        going = asyncio.create_task(say(agent, "Look it up"))
        async with asyncio.timeout(20):
            while not await events(agent, ToolCalled):
                await asyncio.sleep(0.05)
        assert (await ToolCall.objects.aget(agent=agent)).status == "intended"
        go_on.set()
        ended = await going
    assert ended.status == "completed"
    found = await ToolCall.objects.aget(agent=agent)
    assert found.status == "ok"
    assert json.loads(found.result or "")["results"][0]["title"] == "Otters"


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap")
async def test_code_of_an_agent_calls_its_tools_and_never_sees_its_secrets() -> None:
    await make_tool(DOUBLE)
    code = "import os\nprint(sorted(name for name in os.environ if 'TOKEN' in name))\ndouble(21)"
    call = Answer(calls=[("run_code", {"code": code, "language": "python"})])
    agent = await make_agent([call, "Done."], tools=["run_code", "double"], secrets={"MY_TOKEN": "s3cret"})
    assert (await say(agent, "Reckon")).status == "completed"
    told = json.loads((await ToolCall.objects.aget(agent=agent)).result or "")
    assert told == {"results": ["42"], "logs": {"stdout": ["[]\n"], "stderr": []}}
    await sync_to_async(tools.delete)((await sync_to_async(tools.of_agent)(agent.id, "double")).id)
