"""Who wrote this sentence, and why? And memory that two write at once. By keyboard alone."""

import re

from playwright.sync_api import Page, expect

from tests.browser.test_main_story import create_agent, say
from tests.browser.test_rules_page import tab_to

MOVED = "I moved to Lisbon last month."


def told_where_it_lives(page: Page, name: str) -> str:
    """An agent that has written and rewritten where a person lives; gives the id of its block "human"."""
    create_agent(page, name)
    say(page, "My name is Inês and I live in Porto.")
    expect(page.locator("#trace .say").last).to_contain_text("Inês")
    say(page, MOVED)
    expect(page.locator("#trace ins", has_text="Lisbon")).to_have_count(1)
    expect(page.locator("#agent-state")).to_have_text("idle")
    found = page.locator("#panel-outline a[id^=nav-block-]", has_text="human").get_attribute("id")
    return (found or "").removeprefix("nav-")


def open_block(page: Page, block_id: str) -> None:
    tab_to(page, f"nav-{block_id}")
    page.keyboard.press("Enter")
    expect(page.locator(f"#editor-{block_id}")).to_be_visible()


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.textContent"))


def test_from_a_sentence_to_its_step_and_to_the_message_that_caused_it(page: Page) -> None:
    block_id = told_where_it_lives(page, "who-wrote")
    open_block(page, block_id)
    page.keyboard.press("w")
    blame = page.locator("#panel-blame .blame")
    expect(blame.locator("dd", has_text="Lives in Lisbon.")).to_contain_text(f"because of “{MOVED}”")
    expect(blame.locator("a").first).to_be_focused()
    for _ in range(12):
        if focused(page) == f"“{MOVED}”":
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/steps/\d+#message-"))
    caused = page.locator(".user:target")
    expect(caused).to_have_text(MOVED)
    expect(caused).to_be_in_viewport()
    written = page.locator(".step", has=page.locator("ins", has_text="Lisbon"))
    number = written.locator(".gutter").inner_text()
    page.keyboard.press("Alt+ArrowLeft")
    open_block(page, block_id)
    page.keyboard.press("w")
    step = page.locator("#panel-blame dt", has=page.locator(f"a[href$='/steps/{number}']"))
    expect(step).to_have_count(1)
    expect(page.locator("#panel-blame .blame a").first).to_be_focused()
    for _ in range(12):
        if focused(page) == f"step {number}":
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/steps/{number}$"))
    expect(page.locator(f".gutter[aria-label^='Step {number}:']")).to_be_in_viewport()


def test_of_two_writers_a_person_chooses_at_the_place_where_they_met(page: Page) -> None:
    block_id = told_where_it_lives(page, "chosen")
    page.get_by_role("tab", name="Core memory").click()
    box = page.locator(f"#value-{block_id}")
    box.fill(f"{box.input_value().replace('Lisbon', 'Faro')}\nLikes tea.")
    say(page, "I moved to Cascais last week.")
    conflict = page.locator(f"#conflict-card-{block_id}")
    expect(conflict).to_contain_text("because of “I moved to Cascais last week.”")
    merge = page.locator(f"#merge-{block_id}")
    expect(merge).to_be_disabled()
    box.focus()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "radio":
            break
    page.keyboard.press("ArrowDown")
    expect(conflict.locator("input[name=hunk-0][value=mine]")).to_be_focused()
    expect(merge).to_be_enabled()
    expect(conflict.locator("dl")).to_contain_text("both")
    tab_to(page, f"merge-{block_id}")
    page.keyboard.press("Enter")
    expect(conflict).to_have_count(0)
    expect(box).to_have_value(re.compile(r"Lives in Faro\..*Likes tea\.", re.DOTALL))


def test_undo_redo_and_save_by_key_are_of_the_block_with_the_focus(page: Page) -> None:
    block_id = told_where_it_lives(page, "undone")
    page.get_by_role("tab", name="Core memory").click()
    box = page.locator(f"#value-{block_id}")
    page.locator(f"#save-{block_id}").focus()
    page.keyboard.press("u")
    expect(box).to_have_value(re.compile("Lives in Porto"))
    page.keyboard.press("r")
    expect(box).to_have_value(re.compile("Lives in Lisbon"))
    last = page.locator(".block-editor textarea").last
    expect(last).not_to_have_id(f"value-{block_id}")
    last.fill("I am brief.")
    page.keyboard.press("Control+s")
    expect(page.locator(".block-editor").last).to_have_attribute("data-version", "2")


def test_the_page_of_a_shared_block_follows_another_window(page: Page) -> None:
    block_id = told_where_it_lives(page, "shared")
    other = page.context.new_page()
    other.goto(f"/blocks/{block_id}")
    expect(other.locator("#live")).to_have_attribute("data-live", "on")
    say(page, "I moved to Sintra last week.")
    expect(other.locator(f"#value-{block_id}")).to_have_value(re.compile("Sintra"))
    expect(other.locator("#panel-blame")).to_contain_text("because of “I moved to Sintra last week.”")
    other.close()
