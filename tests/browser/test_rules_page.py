"""The rules page by keyboard alone: the graph is walked, a turn is simulated, rules are added and taken away, and another page follows."""

from letta_client import Letta
from playwright.sync_api import Page, expect

from tests.e2e.serving import Server


def make_agent(live: Server) -> str:
    client = Letta(base_url=f"http://localhost:{live.port}")
    source = 'def {}() -> str:\n    """Do it."""\n    return ""\n'
    made = [client.tools.create(source_code=source.format(name)).id for name in ("weigh", "crate", "letter")]
    rules = [
        {"type": "run_first", "tool_name": "weigh"},
        {"type": "conditional", "tool_name": "weigh", "child_output_mapping": {"heavy": "crate", "light": "letter"}},
        {"type": "exit_loop", "tool_name": "letter"},
    ]
    return client.agents.create(
        name="packer", model="offline/rules", tool_ids=made, tool_rules=rules, include_base_tools=False
    ).id


def tab_to(page: Page, dom_id: str) -> None:
    """Presses Tab until the keyboard is there."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement?.id") == dom_id:
            return
    raise AssertionError(f"Tab does not reach {dom_id}")


def test_a_turn_is_simulated_and_rules_are_changed_by_keyboard_alone(page: Page, live: Server) -> None:
    agent_id = make_agent(live)
    page.goto(f"/agents/{agent_id}?main=settings&section=rules")
    page.locator("#rules-page").press("Enter")
    now = page.locator("#rules-now")
    expect(now).to_contain_text("weigh has to be called now.")
    expect(page.locator("#live")).to_have_text("live")

    tab_to(page, "node-weigh")
    page.keyboard.press("Enter")
    expect(now).to_contain_text("3 of 3 tools may be called now.")
    expect(page.locator("#node-weigh")).to_be_focused()
    assert page.url.endswith("/rules?calls=weigh")
    tab_to(page, "returned-3")
    page.keyboard.press("Enter")
    expect(now).to_contain_text("letter has to be called now.")
    page.locator("#allowed-node-letter").press("Enter")
    expect(now).to_have_text("The turn has ended.")
    page.go_back()
    expect(now).to_contain_text("letter has to be called now.")
    expect(page.locator("#live")).to_have_text("live")
    page.keyboard.press("r")
    expect(now).to_contain_text("weigh has to be called now.")

    other = page.context.new_page()
    other.goto(f"/agents/{agent_id}/rules")
    expect(other.locator("#node-letter .tag")).to_have_count(0)
    page.locator("#rules-view-edit").press("Enter")
    expect(page.locator("#rule-new")).to_be_visible()
    page.locator("#node-letter").press("Enter")
    expect(page.locator("#settings-tool_name")).to_have_value("letter")
    page.locator("#settings-type").select_option("max_count_per_step")
    times = page.get_by_label("Times")
    times.fill("0")
    times.press("Enter")
    expect(page.locator(".errors")).to_be_visible()
    times.fill("4")
    times.press("Enter")
    expect(page.locator("#node-letter .tag")).to_have_text("≤ 4")
    expect(other.locator("#node-letter .tag")).to_have_text("≤ 4")
    page.get_by_role("button", name="at most 4 times").press("Enter")
    expect(page.locator("#node-letter .tag")).to_have_count(0)
    expect(other.locator("#node-letter .tag")).to_have_count(0)
    other.close()


def test_a_tool_that_is_dragged_onto_another_lets_that_one_follow(page: Page, live: Server) -> None:
    page.goto(f"/agents/{make_agent(live)}/rules?view=edit")
    expect(page.locator("#live")).to_have_text("live")
    page.locator("#node-crate").drag_to(page.locator("#node-letter"))
    expect(page.get_by_role("link", name="crate to letter.")).to_be_visible()


def test_the_last_run_of_an_agent_that_never_called_a_tool_is_told_to_be_none(page: Page, live: Server) -> None:
    page.goto(f"/agents/{make_agent(live)}/rules")
    page.keyboard.press("p")
    expect(page.locator("#toasts")).to_contain_text("No run of this agent has called a tool yet.")
    expect(page.locator("#rules-now")).to_contain_text("weigh has to be called now.")
