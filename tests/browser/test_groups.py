"""A group is changed by keyboard alone, and every other page that shows it follows."""

import json
from typing import Any

from letta_client import Letta
from playwright.sync_api import Page, expect

from tests.browser.test_rules_page import tab_to
from tests.e2e.serving import Server


def ask(live: Server, method: str, path: str = "", **body: Any) -> Any:
    sent = json.dumps(body) if body else None
    return json.loads(live.ask(f"/v1/groups/{path}", method, sent, {"Content-Type": "application/json"})[1])


def test_a_group_is_changed_by_keyboard_alone_and_other_pages_follow(page: Page, live: Server) -> None:
    client = Letta(base_url=f"http://localhost:{live.port}")
    names = ("Ana of the desk", "Ben of the desk", "Cid of the desk")
    ana, ben, cid = (client.agents.create(name=name, model="offline/rules").id for name in names)
    group = ask(live, "POST", agent_ids=[ana, ben], description="Desk")["id"]
    others = [page.context.new_page() for _ in range(3)]
    for other, path in zip(others, (f"/groups/{group}", "/groups", f"/agents/{cid}"), strict=True):
        other.goto(path)
        expect(other.locator("#live")).to_have_text("live")

    page.goto(f"/agents/{ana}")
    page.locator(f"#nav-{group}").press("Enter")
    expect(page.locator("#live")).to_have_text("live")
    page.keyboard.press("e")
    expect(page.locator("#group-description")).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Night desk")
    tab_to(page, "group-kind")
    page.keyboard.type("dyn")
    tab_to(page, "group-words")
    page.keyboard.type("of the desk")
    expect(page.locator("#group-agents li")).to_have_count(3)
    tab_to(page, f"later-{ana}")
    page.keyboard.press("Enter")
    expect(page.locator("#group-agents li").first).to_contain_text("Ben of the desk")
    expect(page.locator(f"#later-{ana}")).to_be_focused()
    page.keyboard.press("Enter")  # It is the last already.
    tab_to(page, "group-turns")
    page.keyboard.type("many")
    page.keyboard.press("Enter")
    expect(page.locator("#group-problem")).to_contain_text("from 1 to 1,000")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    expect(page.locator("#group-problem")).to_contain_text("Choose who leads")
    for _ in range(12):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.name") == "manager":
            break
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    expect(page.locator(f"#leads-{cid}")).to_be_checked()
    page.keyboard.press("Enter")
    expect(page.locator("#edit-group")).not_to_be_visible()
    expect(page.locator("#group-name")).to_have_text("Night desk")

    for name in ("Night desk", "dynamic", "Cid of the desk"):
        expect(others[0].locator("body")).to_contain_text(name)
        expect(others[1].locator(f"#row-{group}")).to_contain_text(name)
    expect(others[2].locator(f"#nav-{group}")).to_contain_text("leads")
    changed = ask(live, "GET", group)
    assert (changed["agent_ids"], changed["manager_type"], changed["max_turns"]) == ([ben, ana], "dynamic", 7)

    page.keyboard.press("e")
    expect(page.locator("#group-description")).to_have_value("Night desk")
    tab_to(page, f"speaks-{ben}")
    page.keyboard.press("Space")
    expect(page.locator("#group-agents li.on")).to_have_count(1)
    expect(page.locator(f"#speaks-{ben}")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    expect(page.locator("#group-agents li.on")).to_have_count(2)
    page.keyboard.press("Escape")
    ask(live, "DELETE", group)
    expect(page.locator("#gone")).to_be_visible()
    for other in others:
        other.close()
