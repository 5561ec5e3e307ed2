"""Going back in an agent's time, and beside it, in the browser by keyboard alone."""

import re
from typing import Any

import pytest
from letta_client import Letta
from playwright.sync_api import Page, expect

from tests.e2e.serving import Server


@pytest.fixture
def client(live: Server) -> Letta:
    return Letta(base_url=f"http://localhost:{live.port}")


@pytest.fixture
def marta(page: Page, client: Letta) -> Any:
    """The open workspace of an agent that learnt a name and then a city, in four steps."""
    blocks: Any = [{"label": "human", "value": "The person:"}]
    agent = client.agents.create(name="concierge", model="offline/rules", memory_blocks=blocks)
    client.agents.messages.create(agent.id, input="My name is Marta.")
    client.agents.messages.create(agent.id, input="Please remember that I moved to Lisbon.")
    page.goto(f"/agents/{agent.id}")
    expect(page.locator("#trace .step")).to_have_count(4)
    return agent


def human(client: Letta, agent_id: str) -> str:
    return str(client.agents.blocks.retrieve("human", agent_id=agent_id).value)


def choose_step(page: Page, agent_id: str, number: int) -> None:
    """By the keys of the scrubber, from the newest back."""
    for chosen in range(3, number - 1, -1):
        page.keyboard.press("k")
        expect(page.locator("[data-key=f]")).to_have_attribute("hx-get", f"/agents/{agent_id}/steps/{chosen}/fork")


def test_rewind_look_and_come_back(page: Page, client: Letta, marta: Any) -> None:
    with_lisbon = human(client, marta.id)
    choose_step(page, marta.id, 3)
    page.keyboard.press("Shift+R")
    expect(page.get_by_role("heading", name="Rewind concierge to before step 3")).to_be_visible()
    expect(page.locator("#travel")).to_contain_text("Steps 3 to 4 stay in the record")
    expect(page.locator("#branch-name")).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("With Lisbon")
    page.keyboard.press("Enter")
    expect(page.locator("#panel-branches")).to_contain_text("With Lisbon")
    expect(page.locator(".step.left")).to_have_count(2)
    assert "Lisbon" not in human(client, marta.id)
    page.locator("#panel-branches").get_by_role("button", name="Come back").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Come back to “With Lisbon”")).to_be_visible()
    expect(page.locator("#branch-name")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".step.left")).to_have_count(0)
    assert human(client, marta.id) == with_lisbon


def test_fork_at_a_step_change_its_memory_and_adopt_it(page: Page, client: Letta, marta: Any) -> None:
    before = human(client, marta.id)
    choose_step(page, marta.id, 3)
    page.keyboard.press("f")
    expect(page.get_by_role("heading", name="Fork concierge at step 3")).to_be_visible()
    expect(page.locator("#fork-name")).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("What if Paris")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # opens the fields of its memory
    page.keyboard.press("Tab")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Lives in Paris.")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What if Paris")).to_be_visible()
    expect(page.locator("#trace-origin")).to_contain_text("Forked from concierge, as it was just before step 3")
    assert human(client, marta.id) == before
    page.goto(f"/agents/{marta.id}?drawer=branches")
    page.locator("#panel-branches").get_by_role("button", name="Adopt").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Adopt What if Paris")).to_be_visible()
    expect(page.locator("#branch-name")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#panel-branches")).to_contain_text("took over a fork")
    assert human(client, marta.id) == "Lives in Paris."


def test_what_was_said_in_an_adopted_fork_is_in_the_trace_and_leads_to_the_forks_steps(
    page: Page, client: Letta, marta: Any
) -> None:
    forked = client.post(f"/v1/agents/{marta.id}/fork", cast_to=object, body={"step": 3, "name": "What if Paris"})
    fork_id = dict(forked)["id"]  # type: ignore[call-overload]
    client.agents.messages.create(fork_id, input="Please remember that I moved to Paris.")
    client.post(f"/v1/agents/{marta.id}/adopt", cast_to=object, body={"fork_id": fork_id})
    adopted = page.locator(".turn.adopted")
    expect(adopted.locator(".adopted-from")).to_contain_text("Adopted from What if Paris")
    expect(adopted.locator(".user")).to_have_text("Please remember that I moved to Paris.")
    expect(page.locator("[data-scrub-label]")).to_have_text("· last kept")
    expect(page.locator("#scrubber")).to_have_value("2")
    client.agents.messages.create(marta.id, input="What is my name?")
    expect(page.locator("#trace > .turn").last.locator(".user")).to_have_text("What is my name?")
    expect(page.locator("[data-scrub-label]")).to_have_text("· live")
    adopted.get_by_role("link", name="step 3 of the fork").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/agents/{fork_id}/steps/3$"))
    expect(page.locator("#scrubber")).to_have_value("3")
