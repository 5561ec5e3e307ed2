"""MCP servers in a browser: added, tested and given to an agent by keyboard alone; signed in to at a real one."""

import sys

from letta_client import Letta
from playwright.sync_api import Page, expect

from tests.e2e.serving import Server
from tests.mcp_servers.starting import HERE, guarded

TOOLBOX = f"{sys.executable} {HERE / 'toolbox.py'} stdio"


def test_a_server_is_added_and_given_to_an_agent_by_keyboard(live: Server, page: Page) -> None:
    Letta(base_url=f"http://localhost:{live.port}").agents.create(name="Ada of the keys", model="offline/rules")
    page.goto("/mcp-servers")
    page.keyboard.press("n")
    page.wait_for_url("**/mcp-servers/new")
    page.locator("#server-name").focus()
    page.keyboard.type("keys")
    page.keyboard.press("Tab")
    page.keyboard.type("stdio")
    page.keyboard.press("Tab")
    page.keyboard.type(TOOLBOX)
    for _ in range(4):
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Test")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#server-tested")).to_contain_text("toolbox 1.2.3 answered")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="keys")).to_be_visible()
    page.wait_for_load_state()
    expect(page.locator("#mcp-server")).to_contain_text("Adds two numbers.")

    page.get_by_role("button", name="Attach to Ada of the keys").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#mcp-agents")).to_contain_text("10 of 10")
    page.locator("h1").click()
    page.keyboard.press("r")
    expect(page.locator(".toast")).to_contain_text("Nothing has changed.")
    expect(page.locator("#mcp-server")).not_to_contain_text("Changed at the last refresh")


def test_a_person_signs_in_at_the_server_and_comes_back_to_its_tools(page: Page) -> None:
    with guarded() as url:
        page.goto("/mcp-servers/new")
        page.get_by_label("Name").fill("guarded")
        page.get_by_label("Address").fill(url)
        page.get_by_role("button", name="Add").click()
        expect(page.locator("#mcp-server")).to_contain_text("asks who you are")
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#mcp-server")).to_contain_text("Says a secret.")
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
