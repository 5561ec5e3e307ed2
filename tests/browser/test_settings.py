"""Settings in a real browser: a form that a person filled shows what is wrong, is clean once saved, and other pages follow."""

from playwright.sync_api import Page, expect

from tests.e2e.serving import Server


def test_a_filled_form_tells_what_is_wrong_and_is_clean_once_saved(page: Page, live: Server) -> None:
    page.goto("/agents")
    page.keyboard.press("n")
    page.get_by_label("Name").fill("settled")
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/agents/agent-*")
    page.locator("#nav-settings-budgets").click()
    field = page.locator("#settings-max_run_s")
    field.fill("0")
    field.press("Enter")
    expect(page.locator(".errors")).to_have_text("Write a number above 0.")
    other = page.context.new_page()
    other.goto(f"{page.url.split('?')[0]}?main=settings&section=budgets")
    expect(other.locator("#live")).to_have_text("live")
    field.fill("90")
    field.press("ControlOrMeta+s")
    expect(page.locator(".errors")).to_have_count(0)
    assert field.evaluate("field => field.value === field.defaultValue")
    expect(other.locator("#settings-max_run_s")).to_have_value("90")
    other.close()


def test_a_rule_asks_for_what_its_kind_needs_and_can_be_taken_away(page: Page, live: Server) -> None:
    page.goto("/agents")
    page.keyboard.press("n")
    page.get_by_label("Name").fill("ruled")
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/agents/agent-*")
    page.locator("#nav-settings-rules").click()
    times = page.get_by_label("Times")
    expect(times).to_be_hidden()
    page.locator("#settings-type").select_option("max_count_per_step")
    times.fill("7")
    times.press("Enter")
    told = page.locator("#panel-settings").get_by_text("at most 7 times")
    expect(told).to_be_visible()
    page.get_by_role("button", name="at most 7 times").press("Enter")
    expect(told).to_have_count(0)
