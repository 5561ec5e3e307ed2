"""The tab "Environment" of a tool's page: packages, hosts, variables."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from agents_core.actions import tools
from agents_core.models import Tool, ToolVariable
from agents_core.tools import packages
from agents_core.tools.execute import close_sandbox
from tests.ade.test_tool_page import SOURCE
from tests.tools.index import PackageIndex, only_index

ASKS_AGAIN = 'hx-trigger="every 1s"'
SECRET = "hunter22-hunter22"


class Page:
    def __init__(self, tool: Tool) -> None:
        self.tool = tool
        self._client = AsyncClient()
        self.status = 0
        self.trigger = ""

    async def get(self, path: str = "") -> str:
        return self._taken(await self._client.get(f"/tools/{self.tool.id}{path}"))

    async def post(self, path: str, **fields: str) -> str:
        sent = await self._client.post(f"/tools/{self.tool.id}{path}", fields, headers={"HX-Request": "true"})
        return self._taken(sent)

    def _taken(self, response: Any) -> str:
        self.status, self.trigger = response.status_code, response.headers.get("HX-Trigger", "")
        text: str = response.content.decode()
        return text

    async def stored(self) -> Tool:
        return await Tool.objects.aget(id=self.tool.id)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PackageIndex]:
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setattr(packages, "packages_folder", lambda: tmp_path / "packages")
    with only_index(tmp_path, os.environ) as served:
        yield served


@pytest.fixture
async def page(transactional_db: None, pool: None) -> AsyncIterator[Page]:
    yield Page(await sync_to_async(tools.upsert)({"source_code": SOURCE}))
    await close_sandbox()


async def version_of(page: Page) -> str:
    return (await page.stored()).updated_at.isoformat()


async def test_saved_requirements_begin_to_be_installed_and_the_page_asks_how_it_goes(
    page: Page, index: PackageIndex
) -> None:
    index.open.clear()
    shown = await page.post("/requirements", requirements="Foo>=1\r\n\r\nbar==2.0\r\n", version=await version_of(page))
    assert page.status == 200
    stored = (await page.stored()).pip_requirements
    assert stored == [{"name": "bar", "version": "2.0"}, {"name": "foo", "version": ">=1"}]
    assert ASKS_AGAIN in shown
    assert f'value="{await version_of(page)}"' in shown  # The editor beside it can still be saved.
    assert ASKS_AGAIN in await page.get("/packages")
    index.open.set()
    shown = await ended(page)
    assert "There is no package named" in shown
    assert "was not found in the package registry" in shown
    index.add("foo", "")
    index.add("bar", "", version="2.0")
    assert ASKS_AGAIN in await page.post("/packages/install")
    shown = await ended(page)
    assert "bar 2.0" in shown
    assert "foo 1.0" in shown
    assert page.trigger == "packages"


async def ended(page: Page) -> str:
    while ASKS_AGAIN in (shown := await page.get("/packages")):
        await asyncio.sleep(0.05)
    return shown


@pytest.mark.parametrize(
    ("path", "fields", "told"),
    [
        ("/requirements", {"requirements": "requests\n--index-url=http://x"}, "is no requirement"),
        ("/requirements", {"requirements": "a\n" * 15_000}, "at most"),
        ("/hosts", {"hosts": "https://example.com/"}, "is no host"),
        ("/hosts", {"hosts": "a..b"}, "is no host"),
        ("/hosts", {"hosts": "*"}, "is no host"),
        ("/hosts", {"hosts": "é" * 80}, "is no host"),
        ("/hosts", {"hosts": "host:80"}, "is no host"),
        ("/variables", {"key": "A=B", "value": "x"}, "is no name of a variable"),
        ("/variables", {"key": "", "value": "x"}, "required"),
        ("/variables", {"key": "A", "value": "abc", "secret": "on"}, "A secret needs 4 characters"),
        ("/variables", {"key": "A", "value": "x" * 40_000}, "at most"),
    ],
)
async def test_what_cannot_be_is_refused_beside_what_was_sent(
    page: Page, path: str, fields: dict[str, str], told: str
) -> None:
    shown = await page.post(path, **fields)
    assert (page.status, told in shown) == (422, True)
    stored = await page.stored()
    assert (stored.pip_requirements, stored.hosts, await ToolVariable.objects.acount()) == ([], [], 0)


async def test_what_somebody_else_saved_meanwhile_is_not_overwritten(page: Page) -> None:
    opened = await version_of(page)
    await page.post("/hosts", hosts="Example.COM.\nbücher.de\n*.example.org", version=opened)
    assert (page.status, (await page.stored()).hosts) == (200, ["*.example.org", "example.com", "xn--bcher-kva.de"])
    shown = await page.post("/hosts", hosts="other.org", version=opened)
    assert (page.status, "saved by somebody else" in shown) == (422, True)
    assert (await page.stored()).hosts == ["*.example.org", "example.com", "xn--bcher-kva.de"]


async def test_a_secret_is_in_no_page_once_it_was_saved_and_what_is_none_is(page: Page) -> None:
    answered = await page.post("/variables", key="TOKEN", value=SECRET, secret="on")
    answered += await page.post("/variables", key="REGION", value="north\r\nand south")
    answered += await page.get()
    assert SECRET not in answered
    assert "north\nand south" in answered
    assert SECRET.encode() not in bytes((await ToolVariable.objects.aget(key="TOKEN")).sealed)
    await page.post("/variables", key="TOKEN", value="another-one", secret="on")
    assert await ToolVariable.objects.acount() == 2
    assert "TOKEN" not in await page.post("/variables/remove", key="TOKEN")
    await page.post("/variables/remove", key="TOKEN")
    assert page.status == 404


async def test_a_run_of_the_editors_text_has_the_tools_variables_and_hides_its_secrets(page: Page) -> None:
    await page.post("/variables", key="TOKEN", value=SECRET, secret="on")
    source = 'import os\ndef peek() -> str:\n    """Peek."""\n    print(os.environ["TOKEN"])\n    return "t=" + os.environ["TOKEN"]\n'
    fields = {"source": source, "tool": page.tool.id, "return_char_limit": "500", "tags": ""}
    sent = await AsyncClient().post("/tools/run", fields, headers={"HX-Request": "true"})
    shown = sent.content.decode()
    assert "t=••••" in shown
    assert SECRET not in shown


async def test_a_tool_that_is_not_saved_has_no_environment_yet(page: Page) -> None:
    shown = (await AsyncClient().get("/tools/new")).content.decode()
    assert "Save the tool first" in shown
