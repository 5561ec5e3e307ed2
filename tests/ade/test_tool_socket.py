"""The socket of a tool's page: what it draws anew, and what it does not take."""

import pytest

from ade.page_consumers import ToolsConsumer
from ade.tool_page import ARRIVES, LIVE_PANEL
from agents_core.actions import tools
from tests.ade.sockets import opened
from tests.ade.test_tool_page import SOURCE
from tests.running import finish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shown(builtin_tools: None) -> str:
    """What the page of a tool is drawn for."""
    return f"tool={tools.upsert({'source_code': SOURCE}).id}"


def test_what_htmx_brought_is_drawn_anew_and_says_what_it_was_drawn_for(shown: str) -> None:
    async def talk() -> None:
        async with opened(ToolsConsumer, "/ws/tools/") as page:
            await page.tell({LIVE_PANEL: shown})
            assert set(await page.drawn()) == {(LIVE_PANEL, shown)}
            panel, seq = ARRIVES.split()
            await page.tell({LIVE_PANEL: shown}, **{panel: int(seq)})
            assert set(await page.drawn()) == {(LIVE_PANEL, shown)}

    finish(talk())


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"panels": 1}', '{"panels": {}, "arrived": 1}'])
def test_what_is_no_message_closes_the_connection(text: str) -> None:
    async def talk() -> None:
        async with opened(ToolsConsumer, "/ws/tools/") as page:
            await page.say(text)
            assert await page.hear_close() == 4400

    finish(talk())
