"""The whole story of a tool's author, in the browser."""

from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.test_tool_page import ask, function, save, write
from tests.e2e.serving import Server

SOURCE = '''def share(total: float, people: int) -> dict:
    """Splits a bill.

    Args:
        total: what was paid, in euros
    """
    each = total / people
    return {"each": round(each, 2)}
'''


def keep(page: Page, name: str) -> None:
    """Saves the mock inputs as a case, with the expectation that is proposed."""
    page.get_by_role("button", name="Save as case…").click()
    expect(page.locator("#case-name")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(name)
    page.keyboard.press("Enter")
    expect(page.locator("#case-dialog")).to_be_hidden()


def retype(page: Page, line: str, text: str) -> None:
    """Writes ``text`` in the place of the line that contains ``line``."""
    page.locator(".cm-line", has_text=line).click()
    page.keyboard.press("Home")
    page.keyboard.press("Shift+End")
    page.keyboard.insert_text(text)


def test_an_author_writes_mends_tries_keeps_cases_and_jumps_to_them_from_a_call(page: Page, live: Server) -> None:
    agent = ask(live, "/agents/", {"name": "Treasurer", "model": "offline/rules"})
    page.goto("/tools/new")
    expect(page.locator("#source-code .cm-content")).to_be_visible()
    write(page, SOURCE)
    expect(page.locator("#tool-problems")).to_contain_text("`people` has no description")
    retype(page, "total: what", "total: what was paid, in euros\n        people: how many share it")
    expect(page.locator("#tool-problems button")).to_have_count(0)

    page.get_by_label("total").fill("10")
    page.get_by_label("people").fill("0")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#tool-value")).to_contain_text("ZeroDivisionError")
    retype(page, "each = total", "if people < 1:\n        raise ValueError('nobody pays')\n    each = total / people")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#tool-value")).to_contain_text("ValueError: nobody pays")
    save(page)

    keep(page, "nobody")
    page.get_by_label("people").fill("4")
    keep(page, "four people")
    expect(page.locator("#tool-cases-count")).to_have_text("2")
    page.get_by_role("tab", name="Cases").click()
    page.get_by_role("button", name="Run all cases").click()
    expect(page.locator("#tool-cases-sum")).to_have_text("2 passed")

    retype(page, "each = total", "each = total // people")
    page.get_by_role("button", name="Run all cases").click()
    expect(page.locator("#tool-cases-sum")).to_have_text("1 passed · 1 failed")
    expect(page.locator(".case[data-tone=bad]")).to_contain_text('got{"each": 2.0}')
    retype(page, "each = total", "each = total / people")
    page.get_by_role("button", name="Run all cases").click()
    expect(page.locator("#tool-cases-sum")).to_have_text("2 passed")

    page.get_by_role("button", name="Look for a call that breaks it").press("Enter")
    expect(page.locator("#tool-probe")).to_contain_text("none broke it")
    expect(page.get_by_role("button", name="Look for a call that breaks it")).to_be_focused()

    page.get_by_role("button", name="Attach to agent…").click()
    page.get_by_role("button", name="Attach Treasurer").click()
    expect(page.get_by_role("button", name="Detach Treasurer")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Calls by agents").click()
    for people in (4, 5):
        said = f"call share with total=10, people={people}"
        ask(live, f"/agents/{agent['id']}/messages", {"messages": [{"role": "user", "content": said}]})
    calls = page.locator("#panel-tool-calls tbody tr")
    expect(calls).to_have_count(2)
    expect(calls.first.locator("a.link")).to_have_attribute("href", f"/agents/{agent['id']}/steps/3")
    calls.first.get_by_role("button", name="Save as case…").click()
    page.get_by_role("button", name="Save case").click()
    expect(calls.first).to_contain_text("case: total=10 people=5")
    expect(calls.last).to_contain_text("case: four people")
    calls.last.get_by_role("button", name="case: four people").click()
    expect(page.get_by_role("tab", name="Cases")).to_have_attribute("aria-selected", "true")
    expect(page.locator("summary:focus")).to_contain_text("four people")
    expect(page.locator("details[open]")).to_contain_text('"people": 4')


class Held:
    """The page's websocket, whose messages to the page wait while it is held."""

    def __init__(self, page: Page, path: str) -> None:
        self._waiting: list[str | bytes] | None = None
        page.route_web_socket(path, self._connect)

    def _connect(self, socket: WebSocketRoute) -> None:
        self._socket = socket
        socket.connect_to_server().on_message(self._pass)

    def _pass(self, text: str | bytes) -> None:
        if self._waiting is None:
            self._socket.send(text)
        else:
            self._waiting.append(text)

    def hold(self) -> None:
        self._waiting = []

    @property
    def has_some(self) -> bool:
        return bool(self._waiting)

    def release(self) -> None:
        waiting, self._waiting = self._waiting or [], None
        for text in waiting:
            self._socket.send(text)


def test_a_case_saved_from_a_call_stays_when_rows_come_that_were_drawn_before_it(page: Page, live: Server) -> None:
    socket = Held(page, "**/ws/tools/**")
    tool = ask(live, "/tools/", {"source_code": function("measured", "return str(len(topic))")})
    agent = ask(live, "/agents/", {"name": "Surveyor", "model": "offline/rules", "tool_ids": [tool["id"]]})
    path, said = f"/agents/{agent['id']}/messages", "call measured with topic={}"
    page.goto(f"/tools/{tool['id']}")
    page.get_by_role("tab", name="Calls by agents").click()
    ask(live, path, {"messages": [{"role": "user", "content": said.format("lake")}]})
    rows = page.locator("#panel-tool-calls tbody tr")
    expect(rows.last).to_contain_text("ok")
    socket.hold()
    ask(live, path, {"messages": [{"role": "user", "content": said.format("river")}]})
    while not socket.has_some:
        page.wait_for_timeout(50)
    rows.last.get_by_role("button", name="Save as case…").click()
    page.get_by_role("button", name="Save case").click()
    expect(rows.last).to_contain_text("case: topic=lake")
    expect(rows).to_have_count(2)
    socket.release()
    page.wait_for_timeout(500)  # What came is shown at the next frame.
    expect(rows.last).to_contain_text("case: topic=lake")


def test_two_versions_are_compared_and_the_older_is_brought_back(page: Page, live: Server) -> None:
    tool = ask(live, "/tools/", {"source_code": function("versioned", "return topic * 2")})
    page.goto(f"/tools/{tool['id']}")
    write(page, function("versioned", "return topic * 3"))
    save(page)
    page.get_by_role("button", name="History").click()
    expect(page.locator("#tool-history .removed")).to_have_text("    return topic * 2")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Roll back to v1").click()
    page.locator("#confirm").get_by_role("button", name="Roll back").click()
    expect(page.locator("#source-code")).to_contain_text("topic * 2")
    expect(page.locator("#tool-state")).to_have_text("saved")
    page.get_by_role("button", name="History").click()
    expect(page.locator("#tool-history nav a")).to_have_count(3)
    expect(page.locator("#tool-history nav a").first).to_contain_text("you")


def test_a_recorded_run_is_gone_through_by_keys_forwards_and_back(page: Page, live: Server) -> None:
    body = "total = 0\n    for letter in topic:\n        total += ord(letter)\n    return str(total)"
    tool = ask(live, "/tools/", {"source_code": function("stepped", body)})
    page.goto(f"/tools/{tool['id']}")
    page.get_by_label("topic").fill("ab")
    page.locator(".cm-line", has_text="total += ord").click()
    page.keyboard.press("F9")
    expect(page.locator(".cm-breakpoints .dot")).to_have_count(1)
    page.keyboard.press("Control+Shift+Enter")
    place, here = page.locator("[data-shows=place]"), page.locator(".cm-here")
    expect(place).to_have_text("1 / 8 · line 7 in stepped")
    page.keyboard.press("F8")
    expect(here).to_have_text("        total += ord(letter)")
    expect(page.locator(".stepper .changed")).to_have_text("letter'a'")
    page.keyboard.press("F10")
    expect(page.locator(".stepper .changed")).to_have_text("total97")
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    expect(page.locator("[data-shows=event]")).to_have_text("returns '195'")
    page.keyboard.press("Shift+F8")
    expect(place).to_have_text("5 / 8 · line 9 in stepped")
    page.keyboard.press("Shift+F10")
    expect(place).to_have_text("4 / 8 · line 8 in stepped")
    page.locator(".cm-breakpoints .dot").click()
    expect(page.locator(".cm-breakpoints .dot")).to_have_count(0)
    page.locator(".cm-breakpoints").click(position={"x": 6, "y": 40})
    expect(page.locator(".cm-breakpoints .dot")).to_have_count(1)
    page.keyboard.press("Control+Enter")
    expect(here).to_have_count(0)
    expect(page.get_by_role("tab", name="Result")).to_have_attribute("aria-selected", "true")


def test_the_editor_completes_modules_and_own_names_and_marks_what_ruff_finds(page: Page) -> None:
    page.goto("/tools/new")
    expect(page.locator("#source-code .cm-content")).to_be_visible()
    write(page, "import js")
    page.keyboard.type("o")
    expect(page.locator(".cm-tooltip-autocomplete li[aria-selected]")).to_have_text("json")
    page.wait_for_timeout(200)  # The editor takes a key that follows at once for typing.
    page.keyboard.press("Enter")
    expect(page.locator(".cm-line").first).to_have_text("import json")
    write(page, function("tidy", "lengthy = len(topic)\n    return str(leng)"))
    expect(page.locator("#tool-problems")).to_contain_text("F821 Undefined name `leng`")
    expect(page.locator(".cm-lint-marker-warning")).to_have_count(2)
    page.locator(".cm-line", has_text="str(leng)").click()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.type("t")
    expect(page.locator(".cm-tooltip-autocomplete")).to_contain_text("lengthy")
    page.wait_for_timeout(200)
    page.keyboard.press("Tab")
    expect(page.locator("#tool-problems button")).to_have_count(0)


REMEMBERS = '''def remember(fact: str, agent_state) -> str:
    """Remembers.

    Args:
        fact: one sentence
    """
    agent_state.memory.update_block_value("plan", fact)
    return "Remembered."
'''


def test_a_mock_agent_gets_and_loses_blocks_by_keys_and_the_run_shows_what_changed(page: Page, live: Server) -> None:
    tool = ask(live, "/tools/", {"source_code": REMEMBERS})
    page.goto(f"/tools/{tool['id']}")
    labels = page.locator("[name='block.label']")
    page.get_by_label("fact").fill("Rest on Monday.")
    page.get_by_role("button", name="Add block").press("Enter")
    expect(page.get_by_label("Label of block 3")).to_be_focused()
    page.keyboard.type("human")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#mock-block-3-label-error")).to_contain_text("Two blocks are labelled human")
    expect(page.get_by_label("Label of block 3")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("plan")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("Rest on Sunday.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#tool-changes del")).to_have_text("Sunday")
    expect(page.locator("#tool-changes ins")).to_have_text("Monday")
    expect(page.locator(".errors")).to_have_count(0)

    page.get_by_role("button", name="Remove the block human").press("Enter")
    expect(page.get_by_role("button", name="Remove the block persona")).to_be_focused()
    page.keyboard.press("Enter")
    expect(labels).to_have_count(1)
    expect(page.get_by_role("button", name="Remove the block plan")).to_be_focused()
    page.keyboard.press("Enter")
    expect(labels).to_have_count(0)
    expect(page.get_by_role("button", name="Add block")).to_be_focused()
    expect(page.get_by_label("fact")).to_have_value("Rest on Monday.")


def test_a_case_of_a_slow_tool_says_that_the_tool_runs(page: Page) -> None:
    page.goto("/tools/new")
    expect(page.locator("#source-code .cm-content")).to_be_visible()
    write(page, function("dawdle", body="import time\n    time.sleep(2)\n    return 'at last'"))
    expect(page.locator("#tool-problems button")).to_have_count(0)
    save(page)
    page.get_by_role("button", name="Save as case…").click()
    told = page.get_by_text("Running the tool on these inputs…")
    expect(told).to_be_visible()
    expect(page.locator("#case-name")).to_be_focused()
    expect(told).to_be_hidden()
