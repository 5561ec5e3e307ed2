"""The page of a tool, as a browser asks for its parts."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient
from lxml import html

from ade.tool_page import live_context, live_fragments, offered_agents, tool_groups
from agents_core.actions import agents, tools
from agents_core.actions.messages import Input, send
from agents_core.actions.new_agent import NewAgent
from agents_core.models import Agent, Tool, ToolCall, ToolCallStatus
from agents_core.runtime.loop import execute
from agents_core.runtime.providers import connections
from agents_core.sandbox import choose as choosing
from agents_core.tools.execute import close_sandbox
from tests.ade.patching import _normal
from tests.running import finish

SOURCE = '''
def greet(name: str, times: int = 2) -> dict:
    """Greets somebody.

    Args:
        name: whom
        times: how often
    """
    print("greeting")
    return {"said": f"Hello, {name}! " * times}
'''
SETTINGS = {"return_char_limit": "50000", "tags": ""}


class Site:
    """The pages in this process. Each answer is parsed; ``status`` and ``headers`` are those of the last one."""

    def __init__(self) -> None:
        self._client = AsyncClient()
        self.status = 0
        self.headers: dict[str, str] = {}

    async def get(self, path: str, **query: str) -> html.HtmlElement:
        return self._taken(await self._client.get(path, query))

    async def post(self, path: str, **fields: str | list[str]) -> html.HtmlElement:
        return self._taken(await self._client.post(path, {**SETTINGS, **fields}, headers={"HX-Request": "true"}))

    def _taken(self, response: Any) -> html.HtmlElement:
        self.status, self.headers = response.status_code, dict(response.headers)
        return html.fromstring(f"<div>{response.content.decode()}</div>")


@pytest.fixture
async def site(builtin_tools: None, pool: None) -> AsyncIterator[Site]:
    yield Site()
    await close_sandbox()
    await connections().aclose()


def text_of(page: html.HtmlElement, dom_id: str) -> str:
    return " ".join(page.get_element_by_id(dom_id).text_content().split())


async def saved(source: str = SOURCE, **fields: Any) -> Tool:
    made = await sync_to_async(tools.upsert)({"source_code": source, **fields})
    return await Tool.objects.aget(id=made.id)


def version(tool: Tool) -> dict[str, str]:
    return {"tool": tool.id, "version": tool.updated_at.isoformat()}


async def new_agent(name: str = "Bo") -> Agent:
    return await sync_to_async(agents.create)(NewAgent(name=name, model="offline/rules"))


# --- reading ------------------------------------------------------------------------------------------------------


async def test_own_tools_are_listed_before_those_of_the_product_and_found_by_words(site: Site) -> None:
    await saved()
    names = [link.text for link in (await site.get("/tools")).find_class("row-link")]
    assert names[0] == "greet"
    assert "send_message" in names
    assert [link.text for link in (await site.get("/tools", q="greets some")).find_class("row-link")] == ["greet"]
    assert "No tool fits" in (await site.get("/tools", q="nothing like it")).text_content()


async def test_a_tool_has_a_page_by_id_and_by_name(site: Site) -> None:
    tool = await saved()
    for ref in (tool.id, tool.name):
        page = await site.get(f"/tools/{ref}")
        assert page.get_element_by_id("source").text.removeprefix("\n") == SOURCE
        assert text_of(page, "tool-state") == "saved"
    missing = await site.get("/tools/nonsense")
    assert site.status == 404
    assert "There is no tool 'nonsense'" in missing.text_content()


async def test_a_new_tool_begins_with_a_template_without_problems(site: Site) -> None:
    page = await site.get("/tools/new")
    assert text_of(page, "tool-problems") == ""
    assert text_of(page, "tool-state") == "not saved"
    assert {field.name for field in page.get_element_by_id("tool-inputs").inputs} > {"arg.topic", "arg.count"}


async def test_problems_are_told_with_their_lines_as_one_types(site: Site) -> None:
    parts = await site.post("/tools/read", source="def f(a):\n    return a\n")
    told = text_of(parts, "tool-problems")
    assert "error, line 1 `f` has no docstring" in told
    assert "line 1 `a` has no type: write `a: str`" in told
    assert "2 problems" in text_of(parts, "tool-facts")
    assert '"severity": "error"' in parts.get_element_by_id("source-problems").get("data-problems")


async def test_a_text_that_python_cannot_read_leaves_the_inputs_alone(site: Site) -> None:
    parts = await site.post("/tools/read", source="def f(:\n")
    assert "Python cannot read this" in text_of(parts, "tool-problems")
    assert parts.xpath("//*[@id='tool-inputs']") == []


async def test_the_page_knows_whether_the_text_is_saved(site: Site) -> None:
    tool = await saved()
    same = await site.post("/tools/read", source=SOURCE.replace("\n", "\r\n"), **version(tool))
    assert text_of(same, "tool-state") == "saved"
    for change in (
        {"source": f"{SOURCE}#"},
        {"source": SOURCE, "tags": "x"},
        {"source": SOURCE, "return_char_limit": ""},
    ):
        assert text_of(await site.post("/tools/read", **{**version(tool), **change}), "tool-state") == "not saved"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("x" * 2**20, "1,048,576 characters; a tool may have 200,000"),
        ("def f():\n    '''Does.'''\n    return '\0'\n", "null"),
        ("", "There is no function"),
        ("(" * 1000, "Python cannot read this"),
    ],
)
async def test_a_source_that_cannot_be_a_tool_is_refused_everywhere(site: Site, source: str, told: str) -> None:
    assert told in text_of(await site.post("/tools/read", source=source), "tool-problems")
    assert told in text_of(await site.post("/tools/run", source=source), "tool-result")
    assert text_of(await site.post("/tools/save", source=source), "tool-notice").startswith("Not saved.")
    assert site.status == 422
    assert not await Tool.objects.filter(tool_type="custom").aexists()


# --- running ------------------------------------------------------------------------------------------------------


async def test_a_run_shows_the_result_what_was_printed_and_what_the_agent_sees(site: Site) -> None:
    parts = await site.post("/tools/run", source=SOURCE, **{"arg.name": "Bo", "arg.times": "1"})
    assert text_of(parts, "tool-value") == '{"said": "Hello, Bo! "}'
    assert text_of(parts, "stdout-panel") == "greeting"
    assert '"status": "OK", "message": {"said": "Hello, Bo! "}' in text_of(parts, "seen-panel")
    assert text_of(parts, "tool-status").startswith("ok · ")
    assert text_of(parts, "tool-status").endswith("no network")


async def test_a_run_uses_made_up_inputs_where_none_came(site: Site) -> None:
    assert "Ada" in text_of(await site.post("/tools/run", source=SOURCE), "tool-value")


async def test_a_failure_shows_its_lines_as_links_into_the_source(site: Site) -> None:
    parts = await site.post("/tools/run", source=SOURCE.replace("return", "return 1 / 0,"))
    assert "ZeroDivisionError: division by zero (line 10)" in text_of(parts, "tool-value")
    assert [link.get("data-goto-line") for link in parts.xpath("//*[@id='tool-value']//button")] == ["10"]
    assert '"status": "Failed"' in text_of(parts, "seen-panel")
    assert text_of(parts, "tool-status").startswith("failed")


async def test_a_run_that_does_not_end_is_stopped_in_words(site: Site) -> None:
    endless = "def f():\n    '''Never ends.'''\n    while True:\n        pass\n"
    assert text_of(await site.post("/tools/run", source=endless), "tool-status").startswith("stopped: ")


async def test_the_return_limit_of_the_form_cuts_what_the_agent_sees(site: Site) -> None:
    parts = await site.post("/tools/run", source=SOURCE, return_char_limit="10")
    assert "this tool returns at most 10" in text_of(parts, "seen-panel")
    assert "cut" not in text_of(parts, "tool-value")


async def test_a_wrong_input_is_told_at_its_field_and_nothing_runs(site: Site) -> None:
    parts = await site.post("/tools/run", source=SOURCE, **{"arg.times": "many"})
    assert text_of(parts, "arg-times-help") == "Write a whole number, such as 3."
    assert site.headers["HX-Reswap"] == "none"
    assert parts.xpath("//*[@id='tool-result']") == []


@pytest.mark.parametrize(
    "source",
    [
        SOURCE.replace("def greet", "import functools\n\n@functools.cache\ndef greet"),
        SOURCE.replace("    print", "    import json, math\n    print"),
        f"def other():\n    '''Another.'''\n\n{SOURCE}\ndef _helper():\n    pass\n",
        SOURCE.replace("\ndef", "\nasync def"),
    ],
)
async def test_decorators_imports_helpers_and_async_run(site: Site, source: str) -> None:
    parts = await site.post("/tools/run", source=source, **{"arg.name": "Bo"})
    assert "Hello, Bo!" in text_of(parts, "tool-value")


async def test_without_a_sandbox_a_run_is_refused_with_reason_and_remedy(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "_refusals", {})
    monkeypatch.setattr("sys.platform", "darwin")
    result = text_of(await site.post("/tools/run", source=SOURCE), "tool-result")
    assert "No sandbox on this machine" in result
    assert "Linux" in result
    assert "no sandbox" in text_of(await site.get("/tools/new"), "tool-head")


# --- saving -------------------------------------------------------------------------------------------------------


async def test_saving_makes_a_tool_and_gives_what_the_page_needs_of_it(site: Site) -> None:
    parts = await site.post("/tools/save", source=SOURCE, tags="a, b")
    tool = await Tool.objects.aget(name="greet")
    assert (tool.source_code, tool.tags) == (SOURCE, ["a", "b"])
    assert site.headers["HX-Replace-Url"] == f"/tools/{tool.id}"
    sent = {field.get("name"): field.get("value") for field in parts.xpath("//*[@id='tool-version']/input")}
    assert sent == {**version(tool), "source_type": "python"}
    again = await site.post("/tools/save", source=f"{SOURCE}#", **sent)
    assert site.status == 200
    assert text_of(again, "tool-state") == "saved"


async def test_a_function_that_is_renamed_is_the_same_tool(site: Site) -> None:
    tool = await saved()
    await site.post("/tools/save", source=SOURCE.replace("greet(", "welcome("), **version(tool))
    await tool.arefresh_from_db()
    assert tool.name == tool.json_schema["name"] == "welcome"
    assert "Renamed to welcome" in site.headers["HX-Trigger"]


async def test_a_name_that_is_taken_is_told_and_can_be_taken_over_by_a_new_tool(site: Site) -> None:
    tool = await saved()
    other = SOURCE.replace("Hello", "Good day")
    notice = text_of(await site.post("/tools/save", source=other), "tool-notice")
    assert site.status == 422
    assert "A tool named 'greet' exists" in notice
    assert "Overwrite" in notice
    await site.post("/tools/save", source=other, overwrite="1")
    assert (await Tool.objects.aget(id=tool.id)).source_code == other


async def test_a_name_of_another_tool_or_of_the_product_is_refused(site: Site) -> None:
    tool = await saved()
    await saved(SOURCE.replace("greet(", "welcome("))
    for name in ("welcome", "send_message"):
        notice = text_of(
            await site.post("/tools/save", source=SOURCE.replace("greet(", f"{name}("), **version(tool)), "tool-notice"
        )
        assert f"A tool named '{name}' exists: choose another name." in notice
    new = text_of(await site.post("/tools/save", source=SOURCE.replace("greet(", "send_message(")), "tool-notice")
    assert "send_message is part of the product" in new
    assert "Overwrite" not in new


async def test_of_two_tabs_the_second_is_told_and_may_overwrite(site: Site) -> None:
    tool = await saved()
    await site.post("/tools/save", source=f"{SOURCE}# one", **version(tool))
    notice = text_of(await site.post("/tools/save", source=f"{SOURCE}# two", **version(tool)), "tool-notice")
    assert "saved by somebody else after you opened it" in notice
    assert (await Tool.objects.aget(id=tool.id)).source_code == f"{SOURCE}# one"
    await site.post("/tools/save", source=f"{SOURCE}# two", overwrite="1", **version(tool))
    assert (await Tool.objects.aget(id=tool.id)).source_code == f"{SOURCE}# two"


@pytest.mark.parametrize(
    ("field", "value"), [("return_char_limit", "0"), ("return_char_limit", "many"), ("tags", "a\0b")]
)
async def test_wrong_settings_are_told_at_the_field_and_nothing_is_saved(site: Site, field: str, value: str) -> None:
    parts = await site.post("/tools/save", source=SOURCE, **{field: value})
    assert site.status == 422
    assert len(parts.get_element_by_id("tool-settings").find_class("errors")) == 1
    assert not await Tool.objects.filter(name="greet").aexists()


async def test_a_tool_of_the_product_shows_its_schema_and_takes_settings_only(site: Site) -> None:
    page = await site.get("/tools/send_message")
    assert "part of the product" in text_of(page, "tool-schema")
    assert page.xpath("//*[@id='source' or @id='tool-inputs' or @id='tool-run']") == []
    tool = await Tool.objects.aget(name="send_message")
    await site.post("/tools/save", source=SOURCE, tags="talk", return_char_limit="100", **version(tool))
    await tool.arefresh_from_db()
    assert (tool.tags, tool.return_char_limit, tool.source_code, tool.name) == (["talk"], 100, None, "send_message")


async def test_deleting_says_who_holds_the_tool(site: Site) -> None:
    tool, agent = await saved(), await new_agent()
    await sync_to_async(tools.attach)(agent.id, tool.id)
    page = await site.get(f"/tools/{tool.id}")
    asked = [button.get("hx-confirm") for button in page.xpath("//*[@id='tool-settings']//button[@hx-confirm]")]
    assert asked == ["Delete greet? Bo loses it."]
    await site.post(f"/tools/{tool.id}/delete")
    assert site.headers["HX-Redirect"] == "/tools"
    assert not await Tool.objects.filter(id=tool.id).aexists()


# --- agents -------------------------------------------------------------------------------------------------------


async def test_a_tool_is_attached_and_detached_and_the_page_counts(site: Site) -> None:
    tool, agent = await saved(), await new_agent()
    path = f"/tools/{tool.id}/agents"
    assert "Attach Bo" in text_of(await site.get(path, q="b"), "tool-agents")
    assert "No agent of that name" in text_of(await site.get(path, q="zz"), "tool-agents")
    attached = await site.post(f"{path}/{agent.id}/attach")
    assert "Detach Bo" in text_of(attached, "tool-agents")
    assert text_of(attached, "tool-holders") == "attached to 1 agent"
    detached = await site.post(f"{path}/{agent.id}/detach")
    assert text_of(detached, "tool-holders") == "attached to 0 agents"


async def called(tool: Tool, agent: Agent, name: str) -> None:
    """The agent calls ``greet`` in a turn of its own."""
    await sync_to_async(tools.attach)(agent.id, tool.id)
    sent = await send(agent.id, [Input("user", [{"type": "text", "text": f"call greet with name={name}"}])])
    await execute(agent.id, sent.run_id, None, 1)


async def test_calls_of_agents_are_listed_and_fill_the_inputs(site: Site) -> None:
    tool, agent = await saved(), await new_agent()
    before = await site.get(f"/tools/{tool.id}")
    assert "no agent has called it yet" in text_of(before, "tool-fill")
    await called(tool, agent, "Ida")
    page = await site.get(f"/tools/{tool.id}")
    assert '{"name": "Ida"}' in text_of(page, "panel-tool-calls")
    assert page.xpath(f"//a[@href='/agents/{agent.id}/steps/1']")
    assert text_of(page, "tool-calls-count") == "1"
    filled = await site.post("/tools/inputs", source=SOURCE, fill="newest", **version(tool))
    assert filled.get_element_by_id("arg-name").text.strip() == "Ida"
    assert "checked" not in filled.xpath("//input[@name='with.times']")[0].attrib


async def test_a_call_that_waits_for_an_answer_is_listed(site: Site) -> None:
    tool, agent = await saved(), await new_agent()
    await called(tool, agent, "Ida")
    for status in ToolCallStatus:
        await ToolCall.objects.aupdate(status=status)
        page = await site.get(f"/tools/{tool.id}")
        assert '{"name": "Ida"}' in text_of(page, "panel-tool-calls"), status


async def test_filling_without_any_call_is_refused(site: Site) -> None:
    tool = await saved()
    await site.post("/tools/inputs", source=SOURCE, fill="newest", **version(tool))
    assert site.status == 404
    assert "No agent has called greet yet" in site.headers["HX-Trigger"]


async def test_what_comes_over_the_socket_is_what_a_reload_shows(site: Site) -> None:
    tool, agent = await saved(), await new_agent()
    await called(tool, agent, "Ida")
    page = await site.get(f"/tools/{tool.id}")
    for fragment in await sync_to_async(lambda: list(live_fragments(tool.id)))():
        sent = html.fragment_fromstring(fragment.rendered()["html"])
        assert _normal(sent) == _normal(page.get_element_by_id(fragment.dom_id))


@pytest.mark.django_db(transaction=True)
def test_the_page_asks_a_fixed_number_of_queries(
    builtin_tools: None, django_assert_num_queries: Callable[..., Any]
) -> None:
    tool = tools.upsert({"source_code": SOURCE})
    held = [agents.create(NewAgent(name=f"Agent {number}", model="offline/rules")) for number in range(3)]
    for agent in held:
        tools.attach(agent.id, tool.id)
        sent = finish(send(agent.id, [Input("user", [{"type": "text", "text": "call greet with name=Bo"}])]))
        finish(execute(agent.id, sent.run_id, None, 1))
    assert ToolCall.objects.count() == 3
    with django_assert_num_queries(8):
        live_context(tool)
        tool_groups()
        offered_agents(tool.id)
