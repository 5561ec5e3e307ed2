"""Forms in a real browser: they are drawn as the product's own, and one that is refused says so where the person looks."""

import re

import pytest
from letta_client import Letta
from playwright.sync_api import Page, expect

from tests.e2e.serving import Server

SECTIONS = ("model", "compaction", "budgets", "rules", "variables", "schedules", "conversations")
NARROW = """() => [...document.querySelectorAll('.form > .wide :is(.textarea, .input)')]
    .filter((field) => field.checkVisibility() && !field.closest('.form > .wide > .row'))
    .filter((field) => field.offsetWidth < 0.6 * field.closest('.form').clientWidth).map((field) => field.id)"""


@pytest.fixture(scope="module")
def agent(live: Server) -> str:
    made = Letta(base_url=f"http://localhost:{live.port}").agents.create(name="formed", model="offline/rules")
    return made.id


def test_what_an_agent_starts_from_is_chosen_among_the_products_own_radios(page: Page) -> None:
    page.goto("/agents")
    page.keyboard.press("n")
    choices = page.get_by_role("group", name="Start from")
    assert choices.evaluate("node => getComputedStyle(node).borderTopWidth") == "0px"
    first = choices.get_by_role("radio").first
    assert first.evaluate("node => getComputedStyle(node).appearance") == "none"
    expect(first).to_have_accessible_name(re.compile("^Assistant that remembers Gets to know you"))
    name, text = (choices.locator(f"label >> {part} >> nth=0").bounding_box() for part in ("b", ".dim"))
    assert name and text
    assert text["y"] >= name["y"] + name["height"]
    page.keyboard.press("ArrowDown")
    expect(choices.get_by_role("radio").nth(1)).to_be_checked()


def test_what_takes_the_width_of_a_form_is_that_wide(page: Page, agent: str) -> None:
    for section in SECTIONS:
        page.goto(f"/agents/{agent}?main=settings&section={section}")
        assert page.evaluate(NARROW) == [], section
