"""The main job in a real browser: create an agent, talk to it, watch its memory and its context window change, edit the memory."""

import re
from contextlib import suppress

import psutil
from playwright.sync_api import Page, Route, expect

from tests.e2e.serving import Server


def create_agent(page: Page, name: str, template: str = "companion") -> None:
    page.goto("/agents")
    page.locator("[data-dialog=new-agent]").first.click()
    page.locator(f"input[name=template][value={template}]").check()
    page.locator("#new-name").fill(name)
    page.get_by_role("button", name="Create").click()
    page.wait_for_url(re.compile(r"/agents/agent-"))  # loaded: before that nothing hears a key


def say(page: Page, text: str) -> None:
    page.locator("#composer-text").fill(text)
    page.keyboard.press("Enter")


def test_a_told_fact_lands_in_core_memory_and_in_the_context_window_live(page: Page) -> None:
    create_agent(page, "story")
    say(page, "My name is Inês and I live in Porto.")
    expect(page.locator("#trace .say").last).to_contain_text("Inês")
    expect(page.locator("#trace ins").first).to_contain_text("Name: Inês.")
    expect(page.locator("#seg-core-human")).to_contain_text("Lives in Porto.")
    expect(page.locator("#panel-head")).to_contain_text("idle")

    say(page, "I moved to Lisbon last month.")
    expect(page.locator("#seg-core-human ins", has_text="Lisbon")).to_have_count(1)
    page.get_by_role("tab", name="Core memory").click()
    expect(page.locator(".block-editor textarea").first).to_have_value(re.compile("Lives in Lisbon"))


def test_a_person_edits_memory_and_the_agent_sees_it_in_its_next_step(page: Page) -> None:
    create_agent(page, "edited")
    page.get_by_role("tab", name="Core memory").click()
    box = page.locator(".block-editor textarea").first
    box.fill("Name: Bo.")
    page.locator(".block-editor .btn.primary").first.click()
    expect(page.locator(".block-editor").first).to_contain_text("9 / 2,000")
    say(page, "What is my name?")
    expect(page.locator("#trace .say").last).to_contain_text("Bo")


def test_what_the_agent_changes_under_a_persons_hands_is_shown_at_once_and_merges(page: Page) -> None:
    create_agent(page, "conflict")
    say(page, "My name is Inês.")
    expect(page.locator("#trace .say").last).to_contain_text("Inês")
    page.get_by_role("tab", name="Core memory").click()
    editor = page.locator(".block-editor").first
    expect(editor.locator("textarea")).to_have_value("Name: Inês.")
    editor.locator("textarea").fill("Name: Inês Silva.")
    say(page, "I live in Porto.")
    expect(editor.locator(".conflict")).to_contain_text("changed this block while you were editing")
    expect(editor.locator("textarea")).to_have_value("Name: Inês Silva.")
    page.get_by_role("button", name="Merge").click()
    expect(editor.locator("textarea")).to_have_value(re.compile("Inês Silva.*Porto", re.DOTALL))
    expect(editor.locator(".conflict")).to_have_count(0)


def test_the_scrubber_shows_the_exact_context_of_an_earlier_step_by_keyboard(page: Page) -> None:
    create_agent(page, "scrub")
    say(page, "My name is Inês and I live in Porto.")
    expect(page.locator("#seg-core-human")).to_contain_text("Lives in Porto.")
    scrubber = page.locator("input[data-scrubber]")
    scrubber.focus()
    page.keyboard.press("Home")
    expect(page.locator("#scrub-to")).to_have_value("1")
    expect(page.locator("#seg-core-human")).not_to_contain_text("Lives in Porto.")
    page.keyboard.press("End")
    expect(page.locator("#seg-core-human")).to_contain_text("Lives in Porto.")


def test_the_step_chosen_last_is_shown_however_long_the_one_before_takes(page: Page) -> None:
    create_agent(page, "scrub-slow")
    say(page, "My name is Inês and I live in Porto.")
    expect(page.locator("#seg-core-human")).to_contain_text("Lives in Porto.")
    say(page, "I like tea.")
    expect(page.locator("[data-scrubber]")).not_to_have_attribute("max", "2")
    expect(page.locator("#agent-state")).to_have_text("idle")
    held: list[Route] = []
    page.route("**/panels/context?*", lambda route: route.continue_() if held else held.append(route))
    page.locator("input[data-scrubber]").focus()
    page.keyboard.press("Home")
    expect(page.locator("#scrub-to")).to_have_value("1")
    while not held:
        page.wait_for_timeout(20)
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(100)
    held[0].continue_()
    expect(page.locator("#panel-context")).to_have_attribute("data-params", "step=2")
    expect(page).to_have_url(re.compile(r"/steps/2$"))
    expect(page.locator("#scrub-to")).to_have_value("2")


def test_a_live_update_leaves_the_scrubber_where_the_person_puts_it(page: Page) -> None:
    create_agent(page, "scrub-live")
    say(page, "My name is Inês and I live in Porto.")
    expect(page.locator("#seg-core-human")).to_contain_text("Lives in Porto.")
    expect(page.locator("#panel-head")).to_contain_text("idle")
    page.evaluate("""async () => {
        const app = document.querySelector("script[type=module]").src;
        const { patch } = await import(app.replace("app.js", "patch.js"));
        const live = document.getElementById("panel-context").outerHTML;
        const range = document.querySelector("[data-scrubber]");
        range.value = 1;
        range.dispatchEvent(new Event("input", { bubbles: true }));
        patch([{ id: "panel-context", swap: "morph", panel: "context", params: "", html: live }]);
    }""")
    expect(page).to_have_url(re.compile(r"/steps/1$"))
    expect(page.locator("#scrub-to")).to_have_value("1")
    expect(page.locator("#seg-core-human")).not_to_contain_text("Lives in Porto.")


def test_what_is_remembered_is_found_in_the_archival_browser(page: Page) -> None:
    create_agent(page, "archive")
    say(page, "Remember that the spare key is under the blue pot.")
    expect(page.locator("#trace .say").last).to_contain_text("spare key")
    page.get_by_role("tab", name="Archival").click()
    page.locator("#archival-q").fill("where is the key")
    expect(page.locator("#panel-archival .seg").first).to_contain_text("blue pot")
    expect(page.locator("#panel-archival .score").first).to_be_visible()


def test_a_passage_is_edited_by_keyboard_and_focus_comes_back(page: Page) -> None:
    create_agent(page, "passages")
    say(page, "Remember that the spare key is under the blue pot.")
    expect(page.locator("#trace .say").last).to_contain_text("spare key")
    page.get_by_role("tab", name="Archival").click()
    passage = page.locator("details.passage").first
    passage.locator("summary").press("Enter")
    edit = page.get_by_role("button", name="Edit this passage")
    edit.press("Enter")
    text = page.get_by_role("textbox", name="Text", exact=True).and_(page.locator(".passage textarea"))
    expect(text).to_be_focused()
    text.fill("The spare key is with the plumber.")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/passages/*/edit", hold)
    page.keyboard.press("Control+s")
    while not held:
        page.wait_for_timeout(20)
    # The page hears of it before the answer comes: the form stays until then.
    seq = page.evaluate("document.documentElement.dataset.seq")
    answer = held[0].fetch()
    expect(page.locator("html")).not_to_have_attribute("data-seq", seq)
    held[0].fulfill(response=answer)
    expect(passage.locator("summary")).to_contain_text("with the plumber")
    expect(edit).to_be_focused()


def test_a_tool_is_attached_from_the_outline(page: Page) -> None:
    create_agent(page, "tools")
    page.get_by_role("button", name="Attach or detach tools").click()
    page.locator("#tool-words").fill("archival_memory_search")
    expect(page.locator("#tool-choices")).not_to_contain_text("send_message")  # The search has answered.
    choice = page.locator("#tool-choices li").filter(has=page.get_by_role("link", name="archival_memory_search"))
    before = choice.get_by_role("button").inner_text()
    choice.get_by_role("button").click()
    expect(choice.get_by_role("button")).not_to_have_text(before)
    shown = page.locator("#panel-outline").get_by_text("archival_memory_search")
    expect(shown).to_have_count(0 if before.startswith("Detach") else 1)


def test_what_was_drawn_for_a_search_that_was_left_is_dropped(page: Page) -> None:
    create_agent(page, "late")
    page.get_by_role("tab", name="Archival").click()
    page.locator("#archival-q").fill("key")
    panel = page.locator("#panel-archival")
    expect(panel).to_have_attribute("data-params", "q=key")
    patch = """async ([params, text]) => {
        const app = document.querySelector("script[type=module]").src;
        const { patch } = await import(app.replace("app.js", "patch.js"));
        const html = `<div id="panel-archival" data-panel="archival" data-params="q=key">${text}</div>`;
        patch([{ id: "panel-archival", swap: "morph", panel: "archival", params, html }]);
    }"""
    page.evaluate(patch, ["", "drawn too late"])
    expect(panel).not_to_contain_text("drawn too late")
    page.evaluate(patch, ["q=key", "drawn in time"])
    expect(panel).to_contain_text("drawn in time")


def test_the_page_goes_on_after_the_web_server_was_killed(page: Page, live: Server) -> None:
    create_agent(page, "lost")
    for process in psutil.Process(live.process.pid).children(recursive=True):
        with suppress(psutil.Error):  # some end by themselves meanwhile
            if "agents_core.management.webserver" in process.cmdline():
                process.kill()
    expect(page.locator("#live")).to_contain_text("reconnecting", timeout=20_000)
    expect(page.locator("#live")).to_have_text("live", timeout=40_000)
    say(page, "My name is Inês.")
    expect(page.locator("#trace .say").last).to_contain_text("Inês")


def test_a_long_trace_opens_at_its_end_and_stays_there(page: Page) -> None:
    create_agent(page, "long")
    agent_id = page.url.rpartition("/")[2]
    for number in range(9):
        text = "Remember that " + f"number {number} fills a few lines of the trace, " * 20
        assert page.request.post(f"/v1/agents/{agent_id}/messages", data={"input": text}).ok
    page.goto(f"/agents/{agent_id}")
    expect(page.locator("#trace .say").last).to_be_in_viewport()
    say(page, "Remember that the last one is here, " + "and it is as long as the others, " * 20)
    expect(page.locator("#trace .say").last).to_contain_text("The last one is here")
    expect(page.locator("#trace .ev.figures").last).to_be_in_viewport()


def test_days_to_search_in_stand_behind_one_word(page: Page) -> None:
    create_agent(page, "when")
    page.get_by_role("tab", name="Recall").click()
    since = page.locator("#recall-since")
    expect(since).to_be_hidden()
    page.locator("#recall-when > summary").click()
    since.fill("2020-01-02")
    expect(page.locator("#recall-when > summary")).to_have_text("from 2020-01-02")
    expect(since).to_be_visible()


def test_the_row_whose_preview_is_shown_is_marked(page: Page) -> None:
    create_agent(page, "first of two")
    create_agent(page, "second of two")
    page.goto("/agents")
    expect(page.locator("#agent-rows > tr.on")).to_contain_text("second of two")
    page.locator("#agent-rows > tr", has_text="first of two").hover()
    expect(page.locator("#agent-rows > tr.on")).to_contain_text("first of two")
    expect(page.locator("#agent-rows > tr.on")).to_have_count(1)
