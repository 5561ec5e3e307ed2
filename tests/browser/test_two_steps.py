"""What the agent saw at any step, and what changed by another one: found by keyboard alone."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_main_story import create_agent, say

FACTS = [
    "My name is Inês and I live in Porto.",
    "Remember that the spare key is under the blue pot.",
    "I moved to Lisbon last month.",
    "Where is the spare key?",
    "I work as a cardiologist.",
    "Remember that the boat is called Gaivota.",
]


@pytest.fixture
def lived(page: Page) -> Page:
    """The page of an agent that has taken a dozen steps and more, some of which wrote memory."""
    create_agent(page, "traveller")
    agent = page.url.rpartition("/")[2]
    for text in FACTS:
        assert page.request.post(f"/v1/agents/{agent}/messages", data={"input": text}).ok
    page.goto(f"/agents/{agent}")
    expect(page.locator("#live")).to_have_text("live")
    assert int(page.locator("[data-scrubber]").get_attribute("max") or 0) >= 12
    return page


def shown(page: Page) -> Locator:
    return page.locator("#panel-context")


def go_to(page: Page, step: int) -> None:
    page.keyboard.press("g")
    expect(page.locator("#scrub-to")).to_be_focused()
    page.keyboard.type(str(step))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/steps/{step}(\?|$)"))
    expect(shown(page)).to_have_attribute("data-params", re.compile(rf"^step={step}(&|$)"))


def test_what_it_saw_at_step_7_and_what_changed_by_step_12_is_found_by_keyboard_alone(lived: Page) -> None:
    go_to(lived, 7)
    block = lived.locator("#seg-core-human")
    expect(block).to_contain_text("Name: Inês.")
    expect(block).not_to_contain_text("cardiologist")

    lived.keyboard.press("D")
    expect(lived.locator("#diff-number")).to_be_focused()
    lived.keyboard.type("12")
    lived.keyboard.press("Enter")
    totals = lived.locator("#context-diff .totals")
    expect(totals).to_contain_text("by step 12:")
    expect(totals).to_contain_text("rewritten")
    expect(totals).to_contain_text("added")
    expect(block.locator("ins", has_text="cardiologist")).to_have_count(1)
    expect(block.locator(".tag.rewritten")).to_contain_text("rewritten at step")

    # The link to it opens exactly that.
    address = lived.url
    assert address.endswith("/steps/7?diff=12")
    lived.goto(f"{address}&seg=core.human")
    expect(lived.locator("#seg-core-human")).to_have_attribute("aria-current", "true")
    expect(lived.locator("#seg-core-human ins", has_text="cardiologist")).to_have_count(1)


def test_steps_are_walked_and_compared_by_single_keys(lived: Page) -> None:
    go_to(lived, 5)
    lived.keyboard.press("j")
    expect(shown(lived)).to_have_attribute("data-params", "step=6")
    lived.keyboard.press("k")
    lived.keyboard.press("k")
    expect(shown(lived)).to_have_attribute("data-params", "step=4")
    lived.keyboard.press("[")
    expect(lived.locator("#step-facts")).to_contain_text("wrote memory")
    earlier = shown(lived).get_attribute("data-params")
    lived.keyboard.press("]")
    expect(shown(lived)).not_to_have_attribute("data-params", earlier or "")
    expect(lived.locator("#step-facts")).to_contain_text("wrote memory")

    lived.locator("#diff-to").select_option("none")
    expect(lived.locator("#context-diff")).to_contain_text("not compared")
    lived.keyboard.press("Escape")
    lived.locator("#scrubber").focus()
    lived.keyboard.press("d")
    expect(lived.locator("#context-diff")).not_to_contain_text("not compared")
    lived.keyboard.press("End")
    expect(lived.locator("[data-scrub-label]")).to_have_text("· live")


def test_the_text_of_a_message_comes_when_it_is_opened_and_stays_while_the_page_moves(lived: Page) -> None:
    said = lived.locator("#seg-messages .line", has_text="Gaivota").first
    line = lived.locator(f"[id='{said.get_attribute('id')}']")
    text = line.locator(".seg-text")
    expect(text).to_be_empty()
    line.locator("summary").press("Enter")
    expect(text.locator("> pre")).to_contain_text("Gaivota")
    asked: list[str] = []
    lived.on("request", lambda request: asked.append(request.url) if "text=" in request.url else None)
    say(lived, "I like the sea.")
    expect(lived.locator("#seg-messages .line.added", has_text="the sea")).not_to_have_count(0)
    expect(text.locator("> pre")).to_contain_text("Gaivota")
    assert not asked  # it was kept, not fetched again
