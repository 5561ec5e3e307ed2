"""Getting about by keyboard alone: the palette, links, notifications, the tour; and what is said of what is gone."""

import re

from letta_client import Letta
from playwright.sync_api import Page, expect

from tests.browser.test_main_story import create_agent, say
from tests.e2e.serving import Server

STOPS = ("Talk to the agent", "See what it does", "See what it saw", "Go back in time", "Its memory", "Time and events")


def heard(page: Page) -> None:
    """Waits until keys are heard."""
    expect(page.locator("html")).to_have_attribute("data-ready", "")


def go(page: Page, words: str) -> None:
    heard(page)
    page.keyboard.press("Control+k")
    expect(page.locator("#palette input")).to_be_focused()
    page.keyboard.type(words)


def test_the_palette_goes_to_a_step_does_a_command_and_comes_back_to_a_recent_place(page: Page) -> None:
    create_agent(page, "palette-one")
    say(page, "My name is Inês and I live in Porto.")
    expect(page.locator("#trace .say").last).to_contain_text("Inês")
    address = page.url
    go(page, "step 1")
    expect(page.locator("#palette [href$='/steps/1']")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/steps/1$"))
    go(page, "write a message")
    expect(page.locator("#palette #command-0")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page.locator("#composer-text")).to_be_focused()
    page.goto("/health")
    go(page, "palone")
    expect(page.locator("#palette #recent-0")).to_contain_text("palette-one")
    page.keyboard.press("Enter")
    expect(page).to_have_url(address)


def test_the_palette_leads_into_the_search_and_its_hit_to_the_message(page: Page) -> None:
    create_agent(page, "searched")
    say(page, "The lighthouse keeper is called Abelardo.")
    expect(page.locator("#trace .say").last).to_be_visible()
    go(page, "lighthouse abelardo")
    page.locator("#palette #option-search").wait_for()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/search"))
    expect(page.locator("#found mark").first).to_have_text("lighthouse")
    page.locator(".hit", has_text="Abelardo").first.press("Enter")
    expect(page.locator("#panel-recall [aria-current=true]")).to_contain_text("Abelardo")


def test_y_copies_the_link_of_what_is_focused_else_of_the_page_as_it_is(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    create_agent(page, "linked")
    say(page, "My name is Bo.")
    expect(page.locator("#seg-core-human")).to_contain_text("Bo")
    expect(page.locator("#panel-head")).to_contain_text("idle")
    page.locator("#seg-core-human > summary").focus()
    page.keyboard.press("y")
    expect(page.locator("#toasts")).to_contain_text("Copied the link")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert re.search(r"/agents/agent-[^/]+/steps/\d+\?(diff=\d+&)?seg=core\.human$", copied)
    page.goto(copied)
    expect(page.locator("#seg-core-human")).to_have_attribute("aria-current", "true")
    page.get_by_role("tab", name="Archival").click()
    page.locator("#archival-q").wait_for()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("y")
    expect(page.locator("#toasts > *")).not_to_have_count(0)
    assert "aside=archival" in page.evaluate("navigator.clipboard.readText()")


def test_a_failure_elsewhere_is_counted_in_the_title_until_it_was_looked_at(page: Page, live: Server) -> None:
    client = Letta(base_url=f"http://localhost:{live.port}")
    broken = client.agents.create(name="breaks-elsewhere", model="offline/missing")
    create_agent(page, "watched")
    heard(page)
    page.keyboard.press("i")
    expect(page.locator("#notices")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page).to_have_title(re.compile("^watched"))
    client.agents.messages.create_async(broken.id, input="Hi")
    expect(page).to_have_title(re.compile(r"^\(1\) watched"))
    expect(page.locator("#toasts")).to_contain_text("breaks-elsewhere failed")
    page.keyboard.press("i")
    expect(page.locator("#notices a:focus")).to_contain_text("breaks-elsewhere")
    page.keyboard.press("Escape")
    expect(page).to_have_title(re.compile("^watched"))
    page.reload()
    heard(page)
    expect(page.locator("#notices [data-notice]").first).to_be_attached()
    expect(page).to_have_title(re.compile("^watched"))


def test_the_tour_is_taken_by_keyboard_once_and_escape_ends_it(page: Page, live: Server) -> None:
    client = Letta(base_url=f"http://localhost:{live.port}")
    example = client.agents.create(name="toured", model="offline/rules", tags=["example"])
    page.set_viewport_size({"width": 900, "height": 800})
    page.goto(f"/agents/{example.id}")
    tour = page.locator("#tour")
    for stop in STOPS:
        expect(tour.locator("h2")).to_have_text(stop)
        expect(tour).to_be_in_viewport(ratio=1)
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(tour.locator("[data-place]")).to_have_text("6 of 7")
    page.keyboard.press("Escape")
    expect(tour).to_be_hidden()
    page.reload()
    heard(page)
    expect(tour).to_be_hidden()
    page.goto("/help")
    page.get_by_role("link", name="Take the tour").press("Enter")
    expect(tour.locator("h2")).to_have_text(STOPS[0])
    expect(page).not_to_have_url(re.compile("tour"))


def test_a_refusal_can_be_copied_as_a_report_and_a_deleted_agent_is_told(page: Page, live: Server) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    create_agent(page, "doomed")
    agent_id = page.url.rsplit("/", 1)[1]
    heard(page)
    Letta(base_url=f"http://localhost:{live.port}").agents.delete(agent_id)
    say(page, "Are you there?")
    page.locator("#toasts").get_by_role("button", name="Copy report").press("Enter")
    expect(page.locator("#toasts .toast", has_text="Copied")).to_be_visible()
    report = page.evaluate("navigator.clipboard.readText()")
    assert f"POST /agents/{agent_id}/messages" in report
    assert "404" in report
    expect(page.locator("#gone")).to_contain_text("This agent was deleted", timeout=60_000)
