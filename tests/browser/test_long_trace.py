"""The trace of an agent with a long past: turns far from the view are emptied, and back when it comes to them."""

from typing import Any

import pytest
from letta_client import Letta
from playwright.sync_api import Page, expect

from tests.e2e.serving import Server

TURNS = 45
TEXT = "Tell me about the harbour.\n" * 30


@pytest.fixture(scope="module")
def agent(live: Server) -> Any:
    client = Letta(base_url=f"http://localhost:{live.port}")
    made = client.agents.create(name="long", model="offline/rules", memory_blocks=[{"label": "human", "value": "Bo."}])
    for number in range(TURNS):
        client.agents.messages.create(made.id, input=f"Message {number}.\n{TEXT}")
    return made


def scroll_to_the_first_turn(page: Page) -> None:
    page.locator("#panel-trace .scroll").focus()
    for _ in range(2 * TURNS):
        page.keyboard.press("Home")
        page.wait_for_timeout(50)
        if page.locator("#trace > .turn").count() == TURNS and not page.locator("#earlier").count():
            return
    raise AssertionError("The first turn never comes.")


def test_turns_far_from_the_view_are_emptied_in_their_place_and_come_back_with_it(page: Page, agent: Any) -> None:
    page.goto(f"/agents/{agent.id}")
    expect(page.locator("#live")).to_have_attribute("data-live", "on")
    scroll_to_the_first_turn(page)
    page.keyboard.press("Home")
    away = page.locator("#trace > .turn[data-away]")
    expect(away).not_to_have_count(0)
    assert away.count() > TURNS // 3
    left = away.evaluate_all("turns => turns.map((turn) => [turn.childElementCount, turn.clientHeight])")
    assert all(not children and height > 100 for children, height in left), left
    expect(page.locator("#trace > .turn").first).to_contain_text("Message 0.")
    page.keyboard.press("End")
    expect(page.locator("#trace > .turn").last).to_be_in_viewport()
    expect(page.locator("#trace > .turn").nth(-3)).to_contain_text(f"Message {TURNS - 3}.")
    assert away.count() > TURNS // 3


def test_earlier_turns_come_in_above_what_is_seen(page: Page, agent: Any) -> None:
    page.goto(f"/agents/{agent.id}")
    expect(page.locator("#live")).to_have_attribute("data-live", "on")
    moved = page.evaluate("""async () => {
        const list = document.querySelector("#panel-trace .scroll");
        const [first] = document.querySelectorAll("#trace > .turn");
        const count = document.querySelectorAll("#trace > .turn").length;
        list.scrollTop = 0;
        const before = first.getBoundingClientRect().top;
        for (let n = 0; n < 200 && document.querySelectorAll("#trace > .turn").length === count; n++)
            await new Promise((resolve) => setTimeout(resolve, 50));
        await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 50)));
        return first.getBoundingClientRect().top - before;
    }""")
    assert abs(moved) < 60, moved


def test_a_step_whose_turn_is_away_is_brought_back_when_it_is_chosen_by_key(page: Page, agent: Any) -> None:
    page.goto(f"/agents/{agent.id}")
    expect(page.locator("#live")).to_have_attribute("data-live", "on")
    scroll_to_the_first_turn(page)
    page.keyboard.press("Home")
    away = page.locator("#trace > .turn[data-away]")
    expect(away).not_to_have_count(0)
    step = away.nth(-2).get_attribute("data-away").split()[0]
    expect(page.locator("#trace > .turn").first).to_contain_text("Message 0.")
    page.keyboard.press("g")
    page.keyboard.type(step)
    page.keyboard.press("Enter")
    chosen = page.locator(".step > .gutter[aria-current]")
    expect(chosen).to_have_text(step)
    expect(chosen).to_be_in_viewport()
