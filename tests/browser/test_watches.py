"""Watching an expression in the browser, and finding the step at which one became true, by keyboard alone."""

import re

import pytest
from letta_client import Letta
from playwright.sync_api import Page, expect

from tests.e2e.serving import Server

NARROW, WIDE = {"width": 900, "height": 800}, {"width": 1600, "height": 960}


@pytest.fixture
def talk(page: Page, live: Server) -> Letta:
    """A client that speaks to agents while their pages are open."""
    return Letta(base_url=f"http://localhost:{live.port}")


def opened(page: Page, client: Letta, *texts: str) -> str:
    agent = client.agents.create(
        name="watched", model="offline/rules", memory_blocks=[{"label": "human", "value": "Name: Bo."}]
    )
    for text in texts:
        client.agents.messages.create(agent.id, input=text)
    page.goto(f"/agents/{agent.id}")
    expect(page.locator("#live")).to_have_attribute("data-live", "on")
    return agent.id


def type_in(page: Page, expression: str) -> None:
    page.keyboard.press("w")
    expect(page.locator("#watch-expression")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type(expression)


def press_on(page: Page, name: str) -> None:
    """Goes on with Tab to the button of that name, and presses it."""
    for _ in range(30):
        if (
            page.evaluate(
                "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent.trim()"
            )
            == name
        ):
            return page.keyboard.press("Enter")
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never came to {name}")


def test_a_watch_is_added_seen_to_change_live_and_its_first_step_found(page: Page, talk: Letta) -> None:
    agent_id = opened(page, talk, "Hello")
    page.locator("#tab-timeline").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#panel-watches")).to_contain_text("Nothing is watched yet")

    type_in(page, "len(block.human)")
    page.keyboard.press("Enter")
    value = page.locator("td.now")
    expect(value).to_have_text("9")
    talk.agents.messages.create(agent_id, input="I live in Berlin.")
    expect(value).to_have_text("26")
    expect(page.locator("#watch-changes tbody tr")).to_have_count(2)
    talk.agents.messages.create(agent_id, input="I moved to Lisbon.")
    expect(page.get_by_role("img", name=re.compile(r"^len\(block\.human\): 9 to 26 over steps 1 to 5"))).to_have_count(
        1
    )

    type_in(page, '"Berlin" in block.human')
    press_on(page, "Find first")
    expect(page.locator("#watch-answer")).to_contain_text("was first true at step 3")
    press_on(page, "step 3")
    expect(page).to_have_url(re.compile(r"/steps/3\?diff=2$"))
    expect(page.locator("#seg-core-human ins").last).to_contain_text("Lives in Berlin.")
    expect(page.locator("#watch-step")).to_contain_text("At step 3")


def test_the_values_follow_the_scrubber(page: Page, talk: Letta) -> None:
    opened(page, talk, "I live in Berlin.", "I moved to Lisbon.")
    page.goto(f"{page.url}?drawer=watches")
    type_in(page, '"Berlin" in block.human')
    page.keyboard.press("Enter")
    expect(page.locator("td.now")).to_have_text("False")
    page.locator("input[data-scrubber]").focus()
    page.keyboard.press("Home")
    expect(page.locator("#watch-step")).to_have_text("At step 1")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#watch-step")).to_have_text("At step 2")
    expect(page.locator("td.now")).to_have_text("True")
    page.keyboard.press("End")
    expect(page.locator("#watch-step")).to_contain_text("live")
    expect(page.locator("td.now")).to_have_text("False")


def test_a_mistake_is_shown_at_its_column_and_mended_and_the_watch_becomes_a_breakpoint(
    page: Page, talk: Letta
) -> None:
    agent_id = opened(page, talk, "Hello")
    page.goto(f"{page.url}?drawer=watches")
    type_in(page, "len(blok.human) > 20")
    page.keyboard.press("Enter")
    expect(page.locator("#watch-refused")).to_contain_text("Column 5: Unknown name `blok`: did you mean `block`?")
    expect(page.locator("#watch-refused mark")).to_have_text("b")
    type_in(page, "len(block.human) > 20")
    page.keyboard.press("Enter")
    expect(page.locator("#watch-refused")).to_have_count(0)
    press_on(page, "Break when len(block.human) > 20 becomes true")
    expect(page.locator("[id^=break-]")).to_have_attribute("aria-pressed", "true")
    press_on(page, "Change len(block.human) > 20")
    edited = page.locator("input[id^=watch-edited]").first
    expect(edited).to_have_value("len(block.human) > 20")
    edited.focus()
    page.keyboard.press("End")
    page.keyboard.type("0")
    page.keyboard.press("Enter")
    expect(page.locator("#panel-watches tbody")).to_contain_text("len(block.human) > 200")
    press_on(page, "Delete len(block.human) > 200")
    expect(page.locator("#panel-watches")).to_contain_text("Nothing is watched yet")
    assert agent_id in page.url


def test_the_answer_to_a_button_that_was_taken_from_the_page_meanwhile_is_drawn_in_its_place(
    page: Page, talk: Letta
) -> None:
    opened(page, talk, "Hello")
    page.goto(f"{page.url}?drawer=watches")
    type_in(page, "len(block.human) > 20")
    page.keyboard.press("Enter")
    page.evaluate("document.addEventListener('htmx:beforeSend', (event) => event.target.closest('tr')?.remove())")
    page.locator("[id^=delete-]").press("Enter")
    expect(page.locator("#panel-watches")).to_contain_text("Nothing is watched yet")
    expect(page.locator("#panel-watches")).to_have_count(1)


def test_the_panel_fits_a_narrow_window(page: Page, talk: Letta) -> None:
    page.set_viewport_size(NARROW)
    opened(page, talk, "I live in Berlin.")
    page.goto(f"{page.url}?drawer=watches&expression=block.human")
    expect(page.locator("#watch-answer")).to_contain_text("was first true at step 1")
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
