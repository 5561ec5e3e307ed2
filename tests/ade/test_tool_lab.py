"""Versions and cases on the page of a tool, as a browser asks for them."""

import json

import pytest
from asgiref.sync import sync_to_async

from ade.tool_history import changed_rows
from agents_core.actions import tool_cases, tools
from agents_core.actions.messages import Input, send
from agents_core.actions.tool_cases import Wanted
from agents_core.models import Tool, ToolCase, ToolVersion
from agents_core.runtime.loop import execute
from tests.ade.test_tool_page import SOURCE, Site, new_agent, saved, site, text_of, version

__all__ = ["site"]

pytestmark = pytest.mark.django_db(transaction=True)


async def with_versions() -> Tool:
    tool = await saved()
    return await sync_to_async(tools.modify)(tool.id, {"source_code": SOURCE.replace("Hello", "Hi")})


async def case_of(tool: Tool, called: str = "twice", **arguments: object) -> ToolCase:
    wanted = Wanted(called, arguments or {"name": "Bo"}, "equals", {"said": "Hello, Bo! Hello, Bo! "})
    return await sync_to_async(tool_cases.save)(tool.id, wanted)


# --- versions -----------------------------------------------------------------------------------------------------


def test_a_difference_shows_changed_lines_with_their_words_and_leaves_out_the_rest() -> None:
    old = "\n".join([*(f"line {number}" for number in range(20)), "a = 1", "gone"])
    new = "\n".join(["new", *(f"line {number}" for number in range(20)), "a = 2"])
    rows = list(changed_rows(old, new))
    assert [row.op for row in rows] == ["added", *["same"] * 3, "skipped", *["same"] * 3, "removed", "removed", "added"]
    assert rows[-3].parts == ((False, "a = "), (True, "1"))
    assert rows[-1].parts == ((False, "a = "), (True, "2"))
    assert list(changed_rows("x", "x")) == []


async def test_the_history_compares_any_two_versions(site: Site) -> None:
    tool = await with_versions()
    page = await site.get(f"/tools/{tool.id}")
    assert len(page.cssselect("#tool-history nav a")) == 2
    changed = [" ".join(row.text_content().split()) for row in page.cssselect("#tool-history .removed mark")]
    assert changed == ["Hello"]
    shown = await site.get(f"/tools/{tool.id}/history", to="1", since="2")
    assert [mark.text_content() for mark in shown.cssselect(".added mark")] == ["Hello"]
    first = await site.get(f"/tools/{tool.id}/history", to="1")
    assert "Schema" in text_of(first, "tool-history")
    assert "These two are the same" in text_of(
        await site.get(f"/tools/{tool.id}/history", to="1", since="1"), "tool-history"
    )


@pytest.mark.parametrize(
    ("query", "status"), [({"to": "7"}, 404), ({"since": "9"}, 404), ({"to": "-1"}, 422), ({"to": "²"}, 422)]
)
async def test_versions_that_are_none_are_refused(site: Site, query: dict[str, str], status: int) -> None:
    tool = await with_versions()
    await site.get(f"/tools/{tool.id}/history", **query)
    assert site.status == status


async def test_rolling_back_makes_a_new_version_by_a_person(site: Site) -> None:
    tool = await with_versions()
    await site.post(f"/tools/{tool.id}/versions/1/roll-back", version=tool.updated_at.isoformat())
    assert (site.status, site.headers["HX-Redirect"]) == (204, f"/tools/{tool.id}")
    newest = await ToolVersion.objects.filter(tool=tool).alast()
    assert newest is not None
    assert (newest.number, newest.author, newest.source_code) == (3, "person", SOURCE)


async def test_rolling_back_over_the_work_of_another_is_refused(site: Site) -> None:
    tool = await with_versions()
    opened = tool.updated_at.isoformat()
    await sync_to_async(tools.modify)(tool.id, {"tags": ["new"]})
    await site.post(f"/tools/{tool.id}/versions/1/roll-back", version=opened)
    assert site.status == 409
    assert await ToolVersion.objects.filter(tool=tool).acount() == 2


# --- cases --------------------------------------------------------------------------------------------------------


async def test_a_new_case_is_proposed_with_what_the_text_in_the_editor_gives_now(site: Site) -> None:
    tool = await saved()
    editor = {**version(tool), "source": SOURCE.replace("Hello", "Ahoy")}
    page = await site.post("/tools/cases/new", **editor, **{"arg.name": "Bo", "arg.times": "1"})
    assert page.cssselect("[name=name]")[0].get("value") == "name=Bo times=1"
    assert page.cssselect("option[selected]")[0].get("value") == "equals"
    assert page.cssselect("[name=expected]")[0].text.strip() == '{\n  "said": "Ahoy, Bo! "\n}'
    wrong = await site.post("/tools/cases/new", **editor, **{"arg.name": "Bo", "arg.times": "x"})
    assert "times: Write a whole number" in text_of(wrong, "case-form")
    unread = await site.post("/tools/cases/new", **version(tool), source="def")
    assert "SyntaxError" in unread.cssselect("[name=expected]")[0].text
    assert "Save the tool first" in text_of(await site.post("/tools/cases/new", source=SOURCE), "case-form")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"name": ""}, "required"),
        ({"arguments": "[1]"}, "JSON object"),
        ({"arguments": "{"}, "This is not JSON"),
        ({"expected": "Hi"}, "A text stands in quotes"),
        ({"expectation": "type", "expected": "list"}, "Name the type"),
        ({"expectation": "resembles"}, ""),
        ({"name": "twice"}, "choose another name"),
        ({"case": "x"}, ""),
    ],
)
async def test_a_case_with_a_fault_is_told_in_its_form_and_not_kept(
    site: Site, fields: dict[str, str], told: str
) -> None:
    tool = await saved()
    await case_of(tool)
    given = {"case": "", "name": "new", "arguments": "{}", "expectation": "equals", "expected": "1"}
    page = await site.post(f"/tools/{tool.id}/cases", **{**given, **fields})
    assert (site.status, site.headers["HX-Retarget"]) == (422, "#case-form")
    assert told in text_of(page, "case-form")
    assert await ToolCase.objects.acount() == 1


async def test_a_case_is_kept_edited_run_and_deleted(site: Site) -> None:
    tool = await saved()
    given = {"arguments": '{"name": "Bo", "times": 1}', "expectation": "contains", "expected": "Hello, Bo"}
    page = await site.post(f"/tools/{tool.id}/cases", case="", name="one", **given)
    assert "not run" in text_of(page, "tool-cases")
    case = await ToolCase.objects.aget()
    page = await site.post(f"/tools/{tool.id}/cases/{case.id}/run", source=SOURCE)
    assert page.get_element_by_id(f"case-{case.id}").get("data-tone") == "ok"
    assert text_of(await site.get(f"/tools/{tool.id}/cases/sum"), "tool-cases-sum") == "1 passed"

    page = await site.post(f"/tools/{tool.id}/cases/{case.id}/run", source=SOURCE.replace("Hello", "Bye"))
    assert "Bye, Bo!" in text_of(page, f"case-{case.id}")
    assert text_of(await site.get(f"/tools/{tool.id}/cases/sum"), "tool-cases-sum") == "1 failed"
    page = await site.get(f"/tools/{tool.id}")
    assert page.get_element_by_id(f"case-{case.id}").get("data-tone") == "none"
    assert "earlier text" in text_of(page, f"case-{case.id}")

    form = await site.get(f"/tools/{tool.id}/cases/{case.id}/edit")
    assert form.cssselect("[name=expected]")[0].text.strip() == "Hello, Bo"
    page = await site.post(f"/tools/{tool.id}/cases", case=str(case.id), name="renamed", **given)
    assert "renamed" in text_of(page, "tool-cases")
    await site.post(f"/tools/{tool.id}/cases/{case.id}/delete")
    assert not await ToolCase.objects.aexists()


async def test_a_case_fills_the_inputs(site: Site) -> None:
    tool = await saved()
    case = await case_of(tool, name="Ada", times=4)
    page = await site.post(f"/tools/{tool.id}/cases/{case.id}/inputs", **version(tool), source=SOURCE)
    assert page.get_element_by_id("arg-times").get("value") == "4"


async def test_a_case_of_another_tool_is_not_found(site: Site) -> None:
    tool, other = await saved(), await saved(SOURCE.replace("greet", "wave"))
    case = await case_of(tool)
    for action in ("run", "delete", "inputs"):
        await site.post(f"/tools/{other.id}/cases/{case.id}/{action}", **version(other), source=SOURCE)
        assert site.status == 404
    await site.get(f"/tools/{other.id}/cases/{case.id}/edit")
    assert site.status == 404
    assert await ToolCase.objects.acount() == 1


async def test_a_call_leads_to_the_case_that_means_the_same(site: Site) -> None:
    tool, agent = await saved(), await new_agent()
    await sync_to_async(tools.attach)(agent.id, tool.id)
    sent = await send(agent.id, [Input("user", [{"type": "text", "text": "call greet with name=Bo"}])])
    await execute(agent.id, sent.run_id, None, 1)
    page = await site.get(f"/tools/{tool.id}")
    assert "Save as case" in text_of(page, "panel-tool-calls")
    call = page.cssselect("#panel-tool-calls tbody tr")[0].get("id").removeprefix("call-")
    proposed = await site.post("/tools/cases/new", **version(tool), source=SOURCE, call=call)
    assert proposed.cssselect("[name=name]")[0].get("value") == "name=Bo"
    case = await case_of(tool, "with the default", name="Bo", times=2.0)
    page = await site.get(f"/tools/{tool.id}")
    assert page.cssselect("#panel-tool-calls [data-reveal]")[0].get("data-reveal") == f"case-{case.id}"
    assert "Save as case" not in text_of(page, "panel-tool-calls")


# --- stepping -----------------------------------------------------------------------------------------------------


async def test_a_recorded_run_gives_its_steps_to_go_through_and_another_gives_none(site: Site) -> None:
    inputs = {"source": SOURCE, "arg.name": "Bo", "arg.times": "1"}
    page = await site.post("/tools/run", **inputs, record="1")
    steps = json.loads(page.get_element_by_id("tool-steps").get("data-steps"))
    assert [(step["line"], step["event"]) for step in steps] == [(9, "line"), (10, "line"), (10, "return")]
    assert steps[0]["variables"] == [["name", "'Bo'"], ["times", "1"]]
    assert "went on" not in text_of(page, "tool-steps")
    page = await site.post("/tools/run", **inputs)
    assert page.get_element_by_id("tool-steps").get("data-steps") == "[]"


async def test_a_recording_that_is_full_says_so(site: Site) -> None:
    looping = SOURCE.replace("print(", "for n in range(2000): print(")
    page = await site.post("/tools/run", source=looping, record="1", **{"arg.name": "Bo", "arg.times": "1"})
    assert "The first 1000 steps are recorded" in text_of(page, "tool-steps")


# --- property tests -----------------------------------------------------------------------------------------------


async def test_a_search_shows_the_smallest_call_that_breaks_the_tool_to_keep_or_to_fill_in(site: Site) -> None:
    tool = await saved()
    source = SOURCE.replace("print(", "assert times < 12; print(")
    page = await site.post("/tools/probe", **version(tool), source=source)
    assert '"times": 12' in text_of(page, "tool-probe")
    assert "AssertionError" in text_of(page, "tool-probe")
    sent = json.loads(page.cssselect("#tool-probe [data-dialog]")[0].get("hx-vals"))
    form = await site.post("/tools/cases/new", **version(tool), source=source, **sent)
    assert form.cssselect("option[selected]")[0].get("value") == "raises"
    filled = await site.post("/tools/inputs", **version(tool), source=source, **sent)
    assert filled.get_element_by_id("arg-times").get("value") == "12"


async def test_a_search_that_finds_nothing_says_how_many_calls_it_made(site: Site) -> None:
    refusing = SOURCE.replace("print(", "if not 0 <= times < 9: raise ValueError('that many')\n    print(")
    page = await site.post("/tools/probe", source=refusing)
    told = text_of(page, "tool-probe")
    assert "none broke it" in told
    assert "refused" in told
    assert "Python cannot read this" in text_of(await site.post("/tools/probe", source="def"), "tool-probe")
