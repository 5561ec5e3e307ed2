"""A call that waits for a person, answered in the browser by keyboard alone."""

from typing import Any

import pytest
from letta_client import Letta
from playwright.sync_api import Page, expect

from tests.e2e.serving import Server

MAIL = '''
def send_mail(to: str) -> str:
    """Sends.

    Args:
        to: Whom.
    """
    return "sent to " + to
'''


@pytest.fixture
def asking(page: Page, live: Server) -> Any:
    """The open workspace of an agent that has asked whether it may send a mail."""
    client = Letta(base_url=f"http://localhost:{live.port}")
    tool = client.tools.upsert(source_code=MAIL, default_requires_approval=True)
    agent = client.agents.create(name="mailer", model="offline/rules", tool_ids=[tool.id])
    page.goto(f"/agents/{agent.id}")
    client.agents.messages.create(agent.id, input='call send_mail with to="Ada"')
    expect(page.locator("#agent-state")).to_contain_text("waits for you")
    return agent


def test_a_person_changes_the_arguments_and_lets_the_agent_go_on(page: Page, asking: Any) -> None:
    page.locator("textarea[name^=arguments]").fill('{"to": "Grace"}')
    page.keyboard.press("Escape")
    page.keyboard.press("F8")
    expect(page.locator("#trace .say").last).to_contain_text("sent to Grace")
    expect(page.locator(".asks")).to_have_count(0)
    expect(page.locator("#agent-state")).to_have_text("idle")


def test_arguments_that_are_no_json_are_refused_and_kept(page: Page, asking: Any) -> None:
    page.locator("textarea[name^=arguments]").fill("{to: Grace}")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#toasts")).to_contain_text("no JSON")
    expect(page.locator("textarea[name^=arguments]")).to_have_value("{to: Grace}")


def test_what_nobody_answers_is_given_up_and_the_agent_takes_messages_again(page: Page, asking: Any) -> None:
    page.get_by_role("button", name="Give up").click()
    page.locator("dialog[open]").get_by_role("button", name="Give up").click()
    expect(page.locator("#agent-state")).to_have_text("idle")
    page.locator("#composer-text").fill("My name is Bo.")
    page.keyboard.press("Enter")
    expect(page.locator("#trace .say").last).to_contain_text("Bo")


def test_the_focus_stays_where_the_answered_call_was(page: Page, asking: Any) -> None:
    page.get_by_role("button", name="Continue").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".asks")).to_have_count(0)
    assert page.evaluate("document.activeElement.closest('#trace') !== null")


def test_a_message_to_an_agent_that_waits_is_kept_while_the_person_goes_to_the_call(page: Page, asking: Any) -> None:
    page.keyboard.press("c")
    page.keyboard.type("My name is Bo.")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="mailer waits for you")).to_be_visible()
    expect(page.get_by_role("button", name="Go to the call")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Continue")).to_be_focused()
    expect(page.locator("#composer-text")).to_have_value("My name is Bo.")
    expect(page.locator("dialog[open]")).to_have_count(0)


@pytest.mark.parametrize(
    ("choice", "told"),
    [("Deny it and send", "request to call tool denied"), ("Give it up and send", "it was given up")],
)
def test_a_message_to_an_agent_that_waits_takes_the_place_of_the_answer(
    page: Page, asking: Any, choice: str, told: str
) -> None:
    page.keyboard.press("c")
    page.keyboard.type("My name is Bo.")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Go to the call")).to_be_focused()
    page.keyboard.press("Tab")
    if choice != "Deny it and send":
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name=choice)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#trace .user").last).to_have_text("My name is Bo.")
    expect(page.locator("#trace")).to_contain_text(told)
    expect(page.locator("#trace .say").last).to_contain_text("Bo")
    expect(page.locator("#composer-text")).to_have_value("")
    expect(page.locator("#composer-text")).to_be_focused()
