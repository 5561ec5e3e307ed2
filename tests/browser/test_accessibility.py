"""axe-core finds nothing on any page and in any dialog, in both themes; and what only a keyboard can tell."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from letta_client import Letta
from playwright.sync_api import Browser, Page, expect

from tests.e2e.homes import SAID
from tests.e2e.serving import Server

AXE = Path(__file__).parent / "axe"
THEMES: tuple[Literal["dark"], Literal["light"]] = ("dark", "light")
# In the second theme only the colours are others.
RULES = {"dark": "{}", "light": "{runOnly: ['color-contrast']}"}
RUN = """async (options) => {
    // What Swagger draws on /docs is its own.
    const { violations } = await axe.run({ exclude: '#swagger-ui > *' }, { resultTypes: ['violations'], ...options });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(' | ')}`);
}"""
TOOL = 'def open_door(number: int) -> str:\n    """Open a door.\n\n    Args:\n        number: Which.\n    """\n    return "open"\n'

SECTIONS = ("model", "compaction", "budgets", "rules", "variables", "schedules", "conversations")
DRAWERS = ("events", "history", "compactions", "output", "watches", "breakpoints", "blame&block=human", "branches")
AGENT_PAGES = [
    "", "/steps/1?diff=1", "?aside=core", "?aside=archival", "?aside=archival&q=key", "?aside=recall", "?aside=recall&q=Bo",
    "?aside=files", "?aside=raw", "?aside=next", "?main=runs", "?main=sleeptime", "/memory", "/rules", "/steps/1/again",
    "/compare/{comparison}?right=B", "/compare/new?step=2", "/experiments/{experiment}", *(f"?drawer={name}" for name in DRAWERS),
    *(f"?main=settings&section={name}" for name in SECTIONS),
]  # fmt: skip
PAGES = [
    "/agents", "/agents?state=failed", "/blocks", "/blocks/{block}", "/tools", "/tools/new", "/tools/{tool}",
    "/tools/archival_memory_search", "/folders", "/folders/{folder}", "/groups", "/groups/{group}", "/batches", "/batches/{batch}",
    "/mcp-servers", "/mcp-servers/new", "/settings", "/runs", "/docs", "/health", "/search", "/search?q=door", "/help", "/help/agents",
    "/nowhere", "/agents/{waiting}", "/agents/{failed}", "/admin/", "/admin/agents_core/run/", "/admin/agents_core/agent/{agent}/change/",
    "/admin/login/?next=/", *(f"/agents/{{agent}}{page}" for page in AGENT_PAGES),
]  # fmt: skip
# Where, and what opens it: a key, or a selector to press.
OPENED = [
    ("/agents/{agent}", "Control+k"),
    ("/agents/{agent}", "?"),
    ("/agents/{failed}?aside=core", "i"),
    ("/agents/{agent}?tour=1", ""),
    ("/agents", "[data-dialog=new-agent]"),
    ("/agents/{agent}", "[data-dialog=new-block]"),
    ("/agents/{agent}", "[data-dialog=agent-tools]"),
    ("/agents/{agent}?aside=archival", "[data-dialog=new-passage]"),
    ("/agents/{agent}?aside=core", "[aria-label^='Delete human']"),
    ("/folders", "n"),
    ("/groups", "n"),
    ("/groups/{group}", "e"),
    ("/blocks", "n"),
    ("/tools/{tool}", "[data-dialog=attach]"),
]


@pytest.fixture(scope="module")
def ids(live: Server) -> dict[str, str]:
    """A little of everything, and the ids of it."""
    client = Letta(base_url=f"http://localhost:{live.port}")
    tool = client.tools.upsert(source_code=TOOL)
    agent = client.agents.create(
        name="porter",
        model="offline/rules",
        memory_blocks=[{"label": "human", "value": "Name: Bo."}, {"label": "persona", "value": "I am a porter."}],
        tools=["archival_memory_insert", "archival_memory_search", tool.name or ""],
        tags=["house"],
    )
    client.agents.messages.create(agent.id, input="My name is Ada and I live in Porto.")
    client.agents.messages.create(agent.id, input="call open_door with number=4")
    client.agents.passages.create(agent.id, text="The spare key of the door is with the neighbour.", tags=["key"])
    asking = client.tools.upsert(source_code=TOOL.replace("open_door", "open_safe"), default_requires_approval=True)
    waiting = client.agents.create(name="asks", model="offline/rules", tool_ids=[asking.id])
    client.agents.messages.create(waiting.id, input="call open_safe with number=1")
    failed = client.agents.create(
        name="breaks", model="offline/missing", memory_blocks=[{"label": "human", "value": ""}]
    )
    client.agents.messages.create_async(failed.id, input="Hi")
    folder: Any = client.folders.create(name=f"Rules of {agent.id[-8:]}")
    client.folders.files.upload(folder.id, file=("doors.txt", b"Every door is locked at ten."))
    group = _made(live, "groups", {"agent_ids": [agent.id, waiting.id], "description": "All porters"})
    compared = _made(live, "comparisons", {"agent_id": agent.id, "from_step": 2, "branches": [{}]})
    batch = _made(
        live, "messages/batches", {"requests": [{"agent_id": each.id, "input": "Hi"} for each in (agent, failed)]}
    )
    step = next(step for step in client.steps.list(agent_id=agent.id).items)
    return {
        "agent": agent.id, "waiting": waiting.id, "failed": failed.id, "tool": tool.id, "folder": folder.id, "group": group,
        "block": client.agents.blocks.list(agent.id).items[0].id, "comparison": compared, "batch": batch,
        "experiment": _made(live, "experiments", {"step_id": step.id}),
    }  # fmt: skip


def _made(live: Server, kind: str, fields: dict[str, Any]) -> str:
    """The id of what the API makes of ``fields``."""
    answer = live.ask(f"/v1/{kind}/", "POST", json.dumps(fields), {"Content-Type": "application/json"})[1]
    return str(json.loads(answer)["id"])


@pytest.fixture(scope="module")
def open_page(live: Server, browser: Browser) -> Iterator[Page]:
    """The page of somebody who is logged in to the admin panel."""
    context = browser.new_context(base_url=f"http://localhost:{live.port}", viewport={"width": 1600, "height": 960})
    page = context.new_page()
    _log_in(page, live)
    yield page
    context.close()


def _log_in(page: Page, live: Server) -> None:
    password = re.search(r"password (\S+)", (live.home / SAID).read_text())
    assert password
    page.goto("/admin/login/")
    page.locator("#id_username").fill("admin")
    page.locator("#id_password").fill(password[1].rstrip("."))
    page.locator("[type=submit]").click()
    expect(page.locator("#content-main")).to_be_visible()


def violations(page: Page) -> dict[str, list[str]]:
    """What axe-core finds, by theme."""
    page.evaluate((AXE / "axe.min.js").read_text())
    found = {}
    for theme in THEMES:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        found[theme] = list(page.evaluate(RUN.replace("...options", f"...{RULES[theme]}")))
    return found


CLEAN: dict[str, list[str]] = {theme: [] for theme in THEMES}


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_on_any_page(open_page: Page, ids: dict[str, str], path: str) -> None:
    open_page.goto(path.format(**ids))
    assert violations(open_page) == CLEAN


@pytest.mark.parametrize(("path", "opener"), OPENED)
def test_axe_finds_nothing_in_any_dialog(open_page: Page, ids: dict[str, str], path: str, opener: str) -> None:
    open_page.goto(path.format(**ids))
    _open(open_page, opener)
    expect(open_page.locator("dialog[open], :popover-open").first).to_be_visible()
    assert violations(open_page) == CLEAN
    open_page.keyboard.press("Escape")
    expect(open_page.locator("dialog[open], :popover-open")).to_have_count(0)


def test_axe_finds_nothing_in_a_form_that_was_refused(open_page: Page, ids: dict[str, str]) -> None:
    open_page.goto(f"/agents/{ids['agent']}?main=settings")
    open_page.get_by_label("Temperature").fill("hot")
    open_page.get_by_label("Temperature").press("Enter")
    expect(open_page.locator(".errors")).to_be_visible()
    assert violations(open_page) == CLEAN


def _open(page: Page, opener: str) -> None:
    expect(page.locator("html")).to_have_attribute("data-ready", "")
    if opener.startswith("["):
        page.locator(opener).first.click()
    elif opener:
        page.keyboard.press(opener)


def test_axe_is_the_file_that_is_listed() -> None:
    listed = re.search(r"`axe.min.js` .*`([0-9a-f]{64})`", (AXE / "README.md").read_text())
    assert listed
    assert hashlib.sha256((AXE / "axe.min.js").read_bytes()).hexdigest() == listed[1]


@pytest.mark.parametrize("path", ["/agents", "/agents/{agent}", "/tools/{tool}", "/search?q=door", "/help"])
def test_tab_goes_through_a_page_and_shows_where_it_is_without_a_trap(
    open_page: Page, ids: dict[str, str], path: str
) -> None:
    page = open_page
    page.goto(path.format(**ids))
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    places = []
    for _ in range(150):
        if page.evaluate("document.activeElement.closest('.cm-editor') !== null"):
            page.keyboard.press("Escape")  # there Tab indents until then
        page.keyboard.press("Tab")
        place, seen = page.evaluate(WHERE)
        assert seen, place
        if place == "BODY" or place in places[:1]:
            break
        places.append(place)
    assert len(places) > 10
    assert len(set(places)) > len(places) * 0.8, places


WHERE = """() => {
    const AROUND = ['label', '.chip', '.search', '.cm-editor', '.editor', '.drop'];
    const node = document.activeElement;
    if (node === document.body) return ['BODY', true];
    const box = node.getBoundingClientRect();
    const marked = [node, ...AROUND.map((name) => node.closest(name))]
        .filter(Boolean).some((each) => {
            const style = getComputedStyle(each);
            return style.outlineStyle !== 'none' || style.boxShadow !== 'none' || getComputedStyle(each, '::after').outlineStyle !== 'none';
        });
    return [node.outerHTML.slice(0, 160), marked];
}"""


def test_the_skip_link_leads_to_the_main_part(open_page: Page, ids: dict[str, str]) -> None:
    page = open_page
    page.goto(f"/agents/{ids['agent']}")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "col-main"


@pytest.mark.parametrize(
    "opener", ["[data-dialog=new-block]", "[data-dialog=agent-tools]", "[data-dialog=palette]", "[popovertarget]"]
)
def test_the_focus_returns_to_what_opened_a_dialog(open_page: Page, ids: dict[str, str], opener: str) -> None:
    page = open_page
    page.goto(f"/agents/{ids['agent']}")
    button = page.locator(opener).first
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open], :popover-open")).to_be_visible()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
