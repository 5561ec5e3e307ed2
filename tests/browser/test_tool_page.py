"""A tool's life in the browser: written, mended, tried, saved, given to an agent, called."""

import json
import re
import shutil
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.serving import Server

FIRST = "def weather(city: str, days: int) -> dict:\n"
REST = '''    """Tells the weather of a city.

    Args:
        city: name of the city
    """
    print(f"asking for {city}")
    return {"city": city, "sky": ["clear"] * days}
'''


def ask(live: Server, path: str, body: object) -> Any:
    """A POST to the API."""
    response, answer = live.ask(f"/v1{path}", "POST", json.dumps(body), {"Content-Type": "application/json"})
    assert response.status < 300, answer
    return json.loads(answer)


def write(page: Page, source: str) -> None:
    """Puts ``source`` in the editor in one go, as a paste does: nothing is indented or closed by itself."""
    page.bring_to_front()
    page.locator("#source-code .cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(source)


def function(name: str, body: str = "return topic") -> str:
    return f'def {name}(topic: str) -> str:\n    """Does.\n\n    Args:\n        topic: what\n    """\n    {body}\n'


def save(page: Page) -> None:
    page.bring_to_front()
    with page.expect_response("**/tools/save"):  # It may say "saved" still, of what was there before.
        page.keyboard.press("Control+s")
    expect(page.locator("#tool-state")).to_have_text("saved")


def test_a_tool_is_written_mended_tried_saved_attached_and_called(page: Page, live: Server) -> None:
    agent = ask(live, "/agents/", {"name": "Forecaster", "model": "offline/rules"})
    page.goto("/tools")
    page.keyboard.press("n")
    expect(page.locator("#source-code .cm-content")).to_be_visible()
    write(page, FIRST + REST)
    expect(page.locator(".cm-lint-marker-error")).to_have_count(1)
    expect(page.locator("#tool-problems")).to_contain_text("`days` has no description")
    expect(page.locator("#tool-facts")).to_contain_text("1 problem")

    page.locator("#tool-problems button").click()
    expect(page.locator(".cm-activeLine")).to_contain_text("def weather")
    page.locator(".cm-line", has_text="city: name").click()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.keyboard.insert_text("days: how many")
    expect(page.locator(".cm-lint-marker-error")).to_have_count(0)
    expect(page.locator("#tool-problems button")).to_have_count(0)

    page.get_by_label("city").fill("Lisbon")
    page.get_by_label("days").fill("two")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#arg-days-help")).to_have_text("Write a whole number, such as 3.")
    page.get_by_label("days").fill("2")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#tool-value")).to_have_text('{"city": "Lisbon", "sky": ["clear", "clear"]}')
    expect(page.locator("#tool-status")).to_contain_text("ok")
    page.get_by_role("tab", name="stdout").click()
    expect(page.locator("#stdout-panel")).to_have_text("asking for Lisbon")
    page.get_by_role("tab", name="What the agent sees").click()
    expect(page.locator("#seen-panel")).to_contain_text('"status": "OK"')

    save(page)
    expect(page).to_have_url(re.compile(r"/tools/tool-"))
    expect(page.locator("#seen-panel")).to_contain_text('"status": "OK"')
    expect(page.locator("#tool-nav [aria-current]")).to_have_text("weather")

    page.get_by_role("button", name="Attach to agent…").click()
    page.get_by_role("searchbox", name="Search agents").fill("fore")
    expect(page.locator("#tool-agents li")).to_have_count(1)
    page.get_by_role("button", name="Attach Forecaster").click()
    expect(page.get_by_role("button", name="Detach Forecaster")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#tool-holders")).to_have_text("attached to 1 agent")

    page.get_by_role("tab", name="Calls by agents").click()
    expect(page.locator("#panel-tool-calls")).to_contain_text("No calls yet")
    said = {"messages": [{"role": "user", "content": "call weather with city=Porto, days=1"}]}
    ask(live, f"/agents/{agent['id']}/messages", said)
    row = page.locator("#panel-tool-calls tbody tr")
    expect(row).to_contain_text("Forecaster")
    expect(row).to_contain_text("ok")
    expect(row.locator("a.link")).to_have_attribute("href", f"/agents/{agent['id']}/steps/1")
    row.locator("button.arguments").click()
    expect(page.get_by_label("city")).to_have_value("Porto")
    expect(page.get_by_role("tab", name="Mock inputs")).to_have_attribute("aria-selected", "true")


def test_unsaved_text_comes_back_and_can_be_discarded(page: Page, live: Server) -> None:
    tool = ask(live, "/tools/", {"source_code": function("drafted")})
    page.goto(f"/tools/{tool['id']}")
    write(page, function("drafted", "return topic * 2"))
    expect(page.locator("#tool-state")).to_have_text("not saved")
    page.reload()
    expect(page.locator("#draft-note")).to_be_visible()
    expect(page.locator("#tool-state")).to_have_text("not saved")
    expect(page.locator("#source-code")).to_contain_text("topic * 2")
    page.get_by_role("button", name="Discard it").click()
    expect(page.locator("#source-code")).not_to_contain_text("topic * 2")
    expect(page.locator("#tool-state")).to_have_text("saved")
    expect(page.locator("#draft-note")).to_be_hidden()


def test_a_saved_tool_leaves_no_draft(page: Page) -> None:
    page.goto("/tools/new")
    expect(page.locator("#source-code")).to_be_visible()
    write(page, function("kept"))
    save(page)
    page.goto("/tools/new")
    expect(page.locator("#source-code")).to_contain_text("def my_tool")
    expect(page.locator("#draft-note")).to_be_hidden()


def test_of_two_tabs_the_second_is_told_and_may_overwrite(page: Page, live: Server) -> None:
    tool = ask(live, "/tools/", {"source_code": function("shared")})
    page.goto(f"/tools/{tool['id']}")
    other = page.context.new_page()
    other.goto(f"/tools/{tool['id']}")
    for tab, body in ((page, "return '1'"), (other, "return '2'")):
        expect(tab.locator("#source-code")).to_be_visible()
        write(tab, function("shared", body))
        expect(tab.locator("#tool-state")).to_have_text("not saved")
    save(page)
    other.bring_to_front()
    other.keyboard.press("Control+s")
    expect(other.locator("#tool-notice")).to_contain_text("saved by somebody else")
    expect(other.locator("#tool-state")).to_have_text("not saved")
    other.get_by_role("button", name="Overwrite").click()
    expect(other.locator("#tool-state")).to_have_text("saved")
    expect(other.locator("#tool-notice")).to_be_empty()
    page.reload()
    expect(page.locator("#source-code")).to_contain_text("return '2'")


def test_a_traceback_leads_to_its_line(page: Page, live: Server) -> None:
    tool = ask(live, "/tools/", {"source_code": function("failing", "return topic / 2")})
    page.goto(f"/tools/{tool['id']}")
    page.get_by_role("tab", name="Schema").click()
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#tool-value")).to_contain_text("TypeError")
    page.locator("#tool-value").get_by_role("button", name="line 7").click()
    expect(page.locator(".cm-activeLine")).to_have_text("    return topic / 2")
    expect(page.locator("#source-code .cm-content")).to_be_focused()


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_a_typescript_tool_is_written_tried_and_saved_and_each_language_keeps_its_draft(page: Page) -> None:
    page.goto("/tools/new")
    page.get_by_role("link", name="TypeScript").press("Enter")
    expect(page.locator("#tool-facts")).to_contain_text("TypeScript")
    write(page, "/** Doubles. @param n What. */\nexport const twice = (n: number): number => n * 2;\n")
    expect(page.locator("#tool-name")).to_have_text("twice")
    page.locator("[name='arg.n']").fill("21")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#tool-value")).to_have_text("42")
    page.get_by_role("link", name="Python").press("Enter")
    expect(page.locator("#source-code")).to_contain_text("def my_tool")
    page.go_back()
    expect(page.locator("#tool-name")).to_have_text("twice")
    save(page)
    page.reload()
    expect(page.locator("#tool-debug")).to_be_disabled()
    expect(page.locator("#source-code .cm-breakpoints")).to_have_count(0)


def test_escape_then_tab_leaves_the_editor(page: Page) -> None:
    page.goto("/tools/new")
    editor = page.locator("#source-code .cm-content")
    editor.click()
    page.keyboard.press("Tab")
    expect(editor).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(editor).not_to_be_focused()


def test_a_run_under_way_cannot_be_started_again(page: Page, live: Server) -> None:
    tool = ask(live, "/tools/", {"source_code": function("slow", "import time; time.sleep(1.5); return topic")})
    page.goto(f"/tools/{tool['id']}")
    run = page.locator("#tool-run")
    run.click()
    expect(run).to_be_disabled()
    expect(run).to_contain_text("Running…")
    expect(page.locator("#tool-status")).to_contain_text("ok")
    expect(run).to_be_enabled()


def test_deleting_asks_first(page: Page, live: Server) -> None:
    tool = ask(live, "/tools/", {"source_code": function("doomed")})
    page.goto(f"/tools/{tool['id']}")
    page.get_by_role("tab", name="Settings").click()
    page.get_by_role("button", name="Delete tool").click()
    expect(page.locator("#confirm-text")).to_have_text("Delete doomed? No agent holds it.")
    page.locator("#confirm").get_by_role("button", name="Delete").click()
    expect(page).to_have_url(re.compile(r"/tools$"))
    expect(page.locator("#tool-list")).not_to_contain_text("doomed")


@pytest.mark.parametrize("width", [1600, 1280, 900, 600])
def test_nothing_is_wider_than_the_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    for path in ("/tools", "/tools/new", "/tools/send_message"):
        page.goto(path)
        assert page.locator("html").evaluate("root => root.scrollWidth") <= width
