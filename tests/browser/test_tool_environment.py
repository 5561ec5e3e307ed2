"""The environment of a tool in the browser, beside its editor."""

from playwright.sync_api import Page, expect

from tests.browser.test_tool_page import ask, function, save, write
from tests.e2e.serving import Server

SECRET = "hunter22-hunter22"


def test_a_tool_is_given_what_its_code_needs_while_its_source_is_being_edited(page: Page, live: Server) -> None:
    tool = ask(live, "/tools/", {"source_code": function("environ", "return topic")})
    page.goto(f"/tools/{tool['id']}")
    write(page, function("environ", "import os; return os.environ['TOKEN'] + os.environ['REGION']"))
    expect(page.locator("#tool-state")).to_have_text("not saved")

    page.get_by_role("tab", name="Source").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Environment")).to_be_focused()
    for key, value, is_secret in (("TOKEN", SECRET, True), ("REGION", "north", False)):
        page.get_by_label("Name").fill(key)
        page.get_by_label("Value").fill(value)
        page.get_by_label("Never show it again").set_checked(is_secret)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#tool-variables td").get_by_text(key)).to_be_visible()
    expect(page.locator("#tool-variables")).to_contain_text("north")
    page.get_by_label("Hosts").fill("https://example.com/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#tool-hosts .errors")).to_contain_text("is no host")
    page.get_by_label("Hosts").fill("example.com")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#hosts-save")).to_be_focused()
    expect(page.locator("#tool-hosts .errors")).to_have_count(0)

    page.get_by_label("Requirements").fill("half typed")
    save(page)  # What was changed here since the page was opened is nobody else's change.
    expect(page.get_by_label("Requirements")).to_have_value("half typed")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#tool-value")).to_have_text("••••north")
    assert SECRET not in page.content()
    assert SECRET not in page.evaluate("JSON.stringify(localStorage) + JSON.stringify(sessionStorage)")
