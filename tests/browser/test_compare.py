"""Preview, re-run and compare in a real browser, by keyboard alone."""

import re

from playwright.sync_api import Page, expect

from tests.browser.test_main_story import create_agent, say


def lived(page: Page, name: str) -> None:
    """An agent that was told something and asked for it."""
    create_agent(page, name)
    say(page, "My name is Inês and I live in Porto.")
    expect(page.locator("#trace .say").last).to_contain_text("Inês")
    expect(page.locator("#panel-head")).to_contain_text("idle")
    say(page, "Where do I live?")
    expect(page.locator("#trace .say").last).to_contain_text("Porto")
    expect(page.locator("#panel-head")).to_contain_text("idle")


def test_fork_at_a_step_change_the_model_compare_and_adopt_the_fork(page: Page) -> None:
    lived(page, "compared")
    first = page.locator("#trace .step").first
    first.get_by_role("link", name="Compare branches from here…").press("Enter")
    expect(page).to_have_url(re.compile(r"/compare/new\?step=1$"))
    expect(page.locator("#compare-left")).to_contain_text("My name is Inês")
    model = page.get_by_role("combobox", name="Models")
    model.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("offline/rules-8k")
    without = page.get_by_role("checkbox", name="without this block").first
    without.focus()
    page.keyboard.press("Space")
    model.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/compare/comparison-"))
    expect(page.locator("#figures-B")).to_contain_text("not run")
    page.keyboard.press("r")
    expect(page.locator("#figures-B")).to_contain_text("1 lost")
    expect(page.locator("#difference-B")).to_contain_text("first difference")
    expect(page.locator("#compare-right .step.differs")).to_have_count(1)
    page.get_by_role("tab", name="Branches").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#compare-memory")).to_contain_text("lost")
    page.keyboard.press("m")
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text("Make branch B the agent?")
    asked.get_by_role("button", name="Make B the agent").press("Enter")
    expect(page).to_have_url(re.compile(r"/agents/agent-[^/]*\?drawer=branches$"))
    expect(page.locator("#panel-head")).to_contain_text("offline/rules-8k")


def test_a_call_is_made_again_with_other_memory_and_the_next_request_is_seen_before_it_is_sent(page: Page) -> None:
    lived(page, "again")
    page.get_by_role("tab", name="Next").press("Enter")
    panel = page.locator("#panel-next")
    expect(panel).to_contain_text("not sent yet")
    page.locator("#what-if > summary").press("Enter")
    human = page.locator("#what-if-form textarea[name^=block-]").first
    human.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("Name: Inês. Lives in Oslo.")
    page.get_by_role("button", name="Show the request").press("Enter")
    expect(page.locator("#next-tried ins", has_text="Oslo")).to_have_count(1)

    last = page.locator("#trace .step").last
    last.get_by_role("link", name="Re-run this call…").press("Enter")
    expect(page.locator("#col-main")).to_contain_text("Porto")
    page.locator("#again-form textarea[name^=again-]").first.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("Name: Inês. Lives in Oslo.")
    page.keyboard.press("Control+Enter")
    expect(page).to_have_url(re.compile(r"/experiments/experiment-"))
    expect(page.locator("#experiment .say")).to_contain_text("Oslo")
    expect(page.locator("#experiment ins", has_text="Oslo")).to_have_count(1)
    expect(page.locator("#experiment-request del", has_text="Porto").first).to_be_attached()
