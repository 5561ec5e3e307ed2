"""The debugger's stories in a real browser, by keyboard alone."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from letta_client import Letta
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.serving import Server

LETTER = """
def post_letter(to: str) -> str:
    \"\"\"Sends.

    Args:
        to: Whom.
    \"\"\"
    return "sent to " + to
"""


def made(server: Server, **fields: Any) -> Any:
    """An agent of the offline model that knows a little of somebody."""
    client = Letta(base_url=f"http://localhost:{server.port}")
    tool = client.tools.upsert(source_code=LETTER)
    blocks = [{"label": "human", "value": "Name: Bo."}, {"label": "persona", "value": "I am kind."}]
    return client.agents.create(
        model="offline/rules", memory_blocks=blocks, tool_ids=[tool.id], tools=["memory_replace"], **fields
    )


@pytest.fixture
def open_agent(page: Page, live: Server) -> Callable[[str], Any]:
    def opened(name: str) -> Any:
        agent = made(live, name=name)
        page.goto(f"/agents/{agent.id}?drawer=breakpoints")
        page.wait_for_load_state()
        return agent

    return opened


def tab_to(page: Page, wanted: Locator) -> None:
    """Presses Tab until ``wanted`` has the focus."""
    for _ in range(120):
        if wanted.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never comes to {wanted}")


def say(page: Page, text: str) -> None:
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def test_a_run_is_stopped_before_the_wrong_call_its_argument_mended_and_continued(
    page: Page, open_agent: Callable[[str], Any]
) -> None:
    open_agent("mailer")
    tab_to(page, page.get_by_label("Stop", exact=True))
    page.keyboard.type("before a tool")
    tab_to(page, page.get_by_label("Which"))
    page.keyboard.type("post_letter")
    page.keyboard.press("Enter")
    expect(page.locator("#panel-breakpoints tbody")).to_contain_text("before a tool runs post_letter")
    say(page, 'call post_letter with to="Bob"')
    expect(page.locator("#agent-state")).to_contain_text("paused after the model's answer")
    expect(page.locator("form.asks")).to_contain_text("post_letter is about to run")
    arguments = page.locator("textarea[name^=arguments]")
    tab_to(page, arguments)
    page.keyboard.press("Control+a")
    page.keyboard.type('{"to": "Ada"}')
    page.keyboard.press("F8")
    expect(page.locator("#trace .say").last).to_contain_text("sent to Ada")
    expect(page.locator("#agent-state")).to_have_text("idle")
    expect(page.locator("#trace")).to_contain_text("a person changed the arguments")
    page.reload()
    expect(page.locator("#trace")).to_contain_text("a person changed the arguments")


def test_a_run_breaks_when_human_changes_the_change_is_refused_and_it_goes_on(
    page: Page, open_agent: Callable[[str], Any]
) -> None:
    open_agent("careful")
    tab_to(page, page.get_by_label("Stop", exact=True))
    page.keyboard.type("when a block is about")
    tab_to(page, page.get_by_label("Which"))
    page.keyboard.type("human")
    page.keyboard.press("Enter")
    expect(page.locator("#panel-breakpoints tbody")).to_contain_text("about to change human")
    say(page, "My name is Ines.")
    expect(page.locator("form.asks")).to_contain_text("block human is about to change")
    expect(page.locator("form.asks ins")).to_contain_text("Ines")
    tab_to(page, page.get_by_role("radio", name="Keep it"))
    page.keyboard.press("ArrowRight")
    tab_to(page, page.locator("input[name^=reason]"))
    page.keyboard.type("She is called Bo.")
    page.keyboard.press("F8")
    expect(page.locator("#agent-state")).to_have_text("idle")
    expect(page.locator("#trace")).to_contain_text("a person refused the call: She is called Bo.")
    page.goto(page.url.split("?")[0] + "?aside=core")
    expect(page.locator("#aside-panel")).to_contain_text("Name: Bo.")


def test_a_breakpoint_is_set_beside_a_call_and_steps_go_over_and_into(
    page: Page, open_agent: Callable[[str], Any]
) -> None:
    open_agent("stepper")
    say(page, 'call post_letter with to="Bob"')
    expect(page.locator("#trace .say").last).to_contain_text("sent to Bob")
    page.keyboard.press("Escape")
    dot = page.get_by_role("button", name="Break before post_letter")
    tab_to(page, page.locator("a.name", has_text="post_letter"))
    page.keyboard.press("b")
    expect(dot).to_have_attribute("aria-pressed", "true")
    say(page, 'call post_letter with to="Eve"')
    state = page.locator("#agent-state")
    expect(state).to_contain_text("paused after the model's answer")
    page.keyboard.press("F11")
    expect(state).to_contain_text("paused before the results are written")
    page.keyboard.press("F10")
    expect(state).to_contain_text("paused before the model")
    page.evaluate("addEventListener('keydown', (event) => (window.taken = event.defaultPrevented))")
    page.keyboard.press("F5")
    expect(state).to_have_text("idle")
    assert page.evaluate("window.taken")
    page.keyboard.press("F5")
    assert not page.evaluate("window.taken"), "where nothing stands, F5 is the browser's"


@pytest.fixture
def dying(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "home")
    with server:
        yield server


def test_the_server_dies_while_a_run_is_paused_and_it_goes_on_after_the_restart(
    dying: Server, browser: Browser
) -> None:
    agent = made(dying, name="survivor")
    context = browser.new_context(base_url=f"http://localhost:{dying.port}")
    page = context.new_page()
    page.goto(f"/agents/{agent.id}")
    page.wait_for_load_state()
    page.get_by_role("button", name="break before tools").press("Enter")
    expect(page.get_by_role("button", name="break before tools")).to_have_attribute("aria-pressed", "true")
    say(page, "My name is Ines.")
    expect(page.locator("#agent-state")).to_contain_text("paused")
    dying.stop(signal.SIGKILL)
    with Server(dying.home, PORT=str(dying.port)):
        page.goto("/agents")
        expect(page.get_by_role("row", name="survivor")).to_contain_text("paused")
        page.goto(f"/agents/{agent.id}")
        page.wait_for_load_state()
        expect(page.locator("form.asks")).to_contain_text("memory_replace is about to run")
        page.keyboard.press("F8")
        expect(page.locator("#agent-state")).to_have_text("idle")
        expect(page.locator("#trace .say").last).to_contain_text("Ines")
        context.close()


@pytest.mark.parametrize(
    ("kind", "fields", "said", "stage", "why"),
    [
        (
            "when a text appears",
            {"Text": "Berl.n"},
            "I live in Berlin.",
            "before the model",
            "“Berl.n” is in the context",
        ),
        ("when the context is fuller", {"Number": "5"}, "word " * 1500, "before the model", "of the window"),
        (
            "when a call has to be",
            {},
            'call ask_first with to="Bo"',
            "after the model's answer",
            "ask_first needs an answer",
        ),
    ],
    ids=["text", "context", "approval"],
)
def test_what_comes_into_the_context_or_needs_an_answer_stops_a_run(
    page: Page, live: Server, kind: str, fields: dict[str, str], said: str, stage: str, why: str
) -> None:
    client = Letta(base_url=f"http://localhost:{live.port}")
    asking = LETTER.replace("post_letter", "ask_first")
    tool = client.tools.upsert(source_code=asking, default_requires_approval=True)
    agent = client.agents.create(name="stopper", model="offline/rules", tool_ids=[tool.id])
    client.agents.messages.create(agent.id, input="Hello")
    page.goto(f"/agents/{agent.id}?drawer=breakpoints")
    tab_to(page, page.get_by_label("Stop", exact=True))
    page.keyboard.type(kind)
    for label, value in fields.items():
        tab_to(page, page.get_by_role("textbox", name=label, exact=True))
        page.keyboard.type(value)
    tab_to(page, page.get_by_role("button", name="Add breakpoint"))
    page.keyboard.press("Enter")
    expect(page.locator("#panel-breakpoints tbody")).to_contain_text(kind)
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    page.keyboard.insert_text(said)
    page.keyboard.press("Enter")
    expect(page.locator("#agent-state")).to_contain_text(f"paused {stage}")
    expect(page.locator(".step.here")).to_contain_text(why)


def test_the_longest_reason_for_standing_leaves_every_button_of_the_top_bar_in_view(page: Page, live: Server) -> None:
    agent = made(live, name="A rather long name of an agent that answers all the letters")
    page.request.post(
        f"/v1/agents/{agent.id}/breakpoints",
        data={"kind": "result"},
        headers={"Origin": f"http://localhost:{live.port}"},
    )
    page.goto(f"/agents/{agent.id}")
    say(page, "call post_letter with to=Bo")
    told = page.locator("#agent-state .clip")
    expect(told).to_have_text("paused before the results are written · step 1")
    told.evaluate("node => node.textContent += '0,000'")
    for width in (1280, 1000, 900):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.locator("#topbar").evaluate("bar => bar.scrollWidth - bar.clientWidth") == 0, width
        for part in ("#go-on", "#step-over", "#stop", "[data-theme-toggle]", "[data-dialog=palette]"):
            expect(page.locator(f"#topbar {part}")).to_be_in_viewport(ratio=1)
        assert page.evaluate(OVERLAPS) == [], width


def test_arguments_that_were_changed_at_a_pause_outlast_a_reload_until_the_run_goes_on(
    page: Page, live: Server, open_agent: Callable[[str], Any]
) -> None:
    agent = open_agent("patient mailer")
    page.request.post(
        f"/v1/agents/{agent.id}/breakpoints", data={"kind": "tool"}, headers={"Origin": f"http://localhost:{live.port}"}
    )
    say(page, "call post_letter with to=Bob")
    arguments = page.locator("textarea[name^=arguments]")
    arguments.fill('{"to": "Ada"}')
    page.get_by_role("radio", name="Refuse").check(force=True)
    page.get_by_role("radio", name="Run it").check(force=True)
    page.reload()
    expect(page.get_by_text("What you changed here was brought back.")).to_be_visible()
    expect(arguments).to_have_value('{"to": "Ada"}')
    expect(page.get_by_role("radio", name="Run it")).to_be_checked()
    page.keyboard.press("F8")
    expect(page.locator("#trace .say").last).to_contain_text("sent to Ada")
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.includes('draft.pause'))") == []


OVERLAPS = """() => {
    const facts = document.querySelector('.wf-total')?.getBoundingClientRect();
    return [...document.querySelectorAll('.drawer .tab')].map((tab) => [tab, tab.getBoundingClientRect()])
        .filter(([, tab]) => facts && tab.right > facts.left && tab.bottom > facts.top).map(([tab]) => tab.textContent);
}"""
