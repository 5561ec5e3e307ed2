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
    assert name
    assert text
    assert text["y"] >= name["y"] + name["height"]
    page.keyboard.press("ArrowDown")
    expect(choices.get_by_role("radio").nth(1)).to_be_checked()


def test_what_takes_the_width_of_a_form_is_that_wide(page: Page, agent: str) -> None:
    for section in SECTIONS:
        page.goto(f"/agents/{agent}?main=settings&section={section}")
        assert page.evaluate(NARROW) == [], section


def test_a_refused_form_shows_the_first_field_to_change_and_says_that_it_was_not_saved(page: Page, agent: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"/agents/{agent}?main=settings")
    form = page.locator("#agent-settings")
    form.get_by_label("Temperature").fill("hot")
    form.get_by_label("Context window").fill("-5")
    form.get_by_role("button", name="Save").click()
    first = form.get_by_label("Context window")
    expect(first).to_be_focused()
    expect(first).to_be_in_viewport(ratio=1)
    expect(first).to_have_accessible_description(re.compile("greater than or equal to 1024"))
    expect(form.get_by_text("Not saved: change what is marked.")).to_be_attached()
    expect(form.get_by_text("The next step uses what is saved.")).to_have_count(0)


def test_a_live_update_leaves_what_was_refused_where_it_was_typed(page: Page, live: Server, agent: str) -> None:
    page.goto(f"/agents/{agent}?main=settings")
    field = page.get_by_label("Temperature")
    field.fill("hot")
    field.press("Enter")
    expect(field).to_be_focused()
    page.get_by_role("tab", name="Context", exact=True).focus()
    Letta(base_url=f"http://localhost:{live.port}").agents.update(agent, name="formed anew")
    expect(page.get_by_role("heading", name="formed anew")).to_be_visible()
    expect(field).to_have_value("hot")


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("drawer=breakpoints", "#bp-condition", '"'),
        ("drawer=watches", "#watch-expression", "len("),
        ("main=settings&section=schedules", "#settings-text", ""),
        ("main=sleeptime", "#settings-frequency", "often"),
    ],
)
def test_every_form_that_comes_back_refused_has_the_focus_where_it_is_wrong(
    page: Page, live: Server, agent: str, query: str, field: str, words: str
) -> None:
    Letta(base_url=f"http://localhost:{live.port}").agents.update(agent, enable_sleeptime=True)
    page.goto(f"/agents/{agent}?{query}")
    form = page.locator("form").filter(has=page.locator(field))
    form.locator(field).fill(words)
    form.locator("button.primary").click()
    expect(form.locator(".errors").first).to_be_visible()
    expect(form.locator(field)).to_be_focused()


def test_the_address_of_a_form_in_a_dialog_opens_it(page: Page) -> None:
    for path, name in (
        ("agents", "New agent"),
        ("blocks", "New block"),
        ("folders", "New folder"),
        ("groups", "New group"),
    ):
        page.goto(f"/{path}/new")
        expect(page.get_by_role("dialog", name=name)).to_be_visible()
