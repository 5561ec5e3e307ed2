"""Takes the screenshots of the documents from a server of its own: ``python -m docs.screenshots``, with names to take only those.

Where pngquant is installed, each takes a third of the room.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal

from letta_client import Letta
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from docs.demo import LAST, Demo, furnish, say
from docs.demo_rooms import Rooms, furnish_rooms
from tests.e2e.serving import Server

IMAGES = Path(__file__).parent / "images"
SIZES = ((1600, 960), (1280, 800), (900, 800))
CITIES = ("Cascais", "Sintra", "Braga", "Aveiro", "Faro", "Coimbra")
"""Where the person moves to, in each picture of two writers."""
THEMES: tuple[Literal["dark"], Literal["light"]] = ("dark", "light")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


class Photographer:
    """Opens the pages of ``demo`` as a person would leave them, and takes their pictures as ``<page>-<suffix>.png``."""

    def __init__(self, page: Page, client: Letta, demo: Demo, rooms: Rooms, suffix: str) -> None:
        self._page = page
        self._client = client
        self._demo = demo
        self._rooms = rooms
        self._suffix = suffix

    def agents(self) -> None:
        self._client.agents.messages.create_async(self._demo.triage, input="call fetch_mail with mailbox=clinic")
        self._open("/agents")
        self._take("agents")

    def new_agent(self) -> None:
        self._open("/agents#new-agent")
        self._take("new-agent")

    def workspace(self) -> None:
        self._open(f"/agents/{self._demo.concierge}?diff={self._demo.base_step}")
        self._take("workspace")

    def compaction(self) -> None:
        """What left the window when the summary came."""
        self._open(f"/agents/{self._demo.concierge}?diff={self._demo.base_step}")
        self._page.locator("#seg-core-human > summary").click()
        self._page.locator("#seg-summary").scroll_into_view_if_needed()
        self._take("compaction")

    def memory(self) -> None:
        self._open(f"/agents/{self._demo.concierge}/memory?block={self._demo.human}&q=flight+preferences")
        if self._page.locator(".passage").first.is_visible():
            self._page.locator(".passage > summary").first.click()
        self._take("memory")

    def tool(self) -> None:
        self._open(f"/tools/{self._demo.tool}")
        if self._page.get_by_role("button", name="Fill from the last real call").is_visible():
            self._page.get_by_role("button", name="Fill from the last real call").click()
            self._page.wait_for_timeout(400)
        self._page.locator("[data-run]").first.click()
        self._take("tool")

    def rules(self) -> None:
        """In the middle of a simulated turn."""
        self._open(f"/agents/{self._demo.desk}/rules?calls=open_letter,sort_letter%3Dquestion,find_patient")
        self._take("rules")

    def palette(self) -> None:
        self._open(f"/agents/{self._demo.concierge}")
        self._page.keyboard.press("Control+k")
        self._page.keyboard.type("flights")
        self._take("palette")

    def search(self) -> None:
        self._open("/search?q=flight+preferences")
        self._take("search")

    def help(self) -> None:
        self._open("/help")
        self._take("help")

    def notifications(self) -> None:
        """What waits and what failed, over the workspace of another agent."""
        self._open(f"/agents/{self._demo.concierge}")
        self._page.keyboard.press("i")
        self._take("notifications")

    def tour(self) -> None:
        """Its third stop: the context window."""
        self._open(f"/agents/{self._demo.concierge}?tour=1")
        for _ in range(2):
            self._page.keyboard.press("ArrowRight")
        self._take("tour")

    def compare(self) -> None:
        """The last turn lived again in branches."""
        branches = [
            {},
            {"blocks": {"human": "Name: Inês. Lives in Oslo."}},
            {"blocks": {"team_policy": None}},
            {"model": "offline/rules-8k"},
        ]
        asked = {"agent_id": self._demo.concierge, "from_step": self._demo.base_step + 1, "branches": branches}
        made = self._page.request.post("/v1/comparisons/", data=asked).json()["id"]
        self._open(f"/agents/{self._demo.concierge}/compare/{made}?right=C")
        expect(self._page.locator("#compare-figures .state")).to_have_count(0, timeout=30_000)
        self._take("compare")
        self._page.request.delete(f"/v1/comparisons/{made}")

    def tool_steps(self) -> None:
        """A recorded run, stopped in its middle."""
        self._open(f"/tools/{self._demo.tool}")
        if self._page.get_by_role("button", name="Fill from the last real call").is_enabled():
            self._page.get_by_role("button", name="Fill from the last real call").click()
            self._page.wait_for_timeout(400)
        self._page.locator("#tool-debug").click()
        self._page.locator("[data-shows=place]").wait_for()
        for _ in range(6):
            self._page.keyboard.press("F10")
        self._take("tool-steps")

    def debugger(self) -> None:
        """A run that stands before a tool; it is ended afterwards."""
        agent = f"/v1/agents/{self._demo.concierge}"
        made = self._page.request.post(f"{agent}/breakpoints", data={"kind": "tool"}).json()
        self._client.agents.messages.create_async(
            self._demo.concierge, input="call find_flights with origin=LIS, destination=BOS, max_price_eur=600"
        )
        self._open(f"/agents/{self._demo.concierge}?drawer=breakpoints")
        self._page.locator("form.asks").wait_for()
        self._page.locator("form.asks").scroll_into_view_if_needed()
        self._take("debugger")
        self._page.request.delete(f"/v1/breakpoints/{made['id']}")
        self._client.agents.messages.cancel(self._demo.concierge)
        self._page.locator("form.asks").wait_for(state="detached")

    def next_request(self) -> None:
        """What the next request would hold."""
        self._open(f"/agents/{self._demo.concierge}?aside=next")
        self._take("next")

    def watches(self) -> None:
        self._open(f"/agents/{self._demo.concierge}?drawer=watches")
        self._take("watches")

    def settings(self) -> None:
        self._open(f"/agents/{self._demo.concierge}?main=settings")
        self._take("settings")

    def sleeptime(self) -> None:
        """Who tends a memory, when, and what came of it."""
        self._open(f"/agents/{self._rooms.tended}?main=sleeptime&aside=core")
        self._take("sleep-time")

    def approvals(self) -> None:
        """A call that waits for a person."""
        self._open(f"/agents/{self._rooms.asking}")
        self._page.locator("form.asks").scroll_into_view_if_needed()
        self._take("approvals")

    def groups(self) -> None:
        self._open(f"/groups/{self._rooms.group}")
        self._take("groups")

    def mcp(self) -> None:
        self._open(f"/mcp-servers/{self._rooms.mcp_server}")
        self._take("mcp")

    def files(self) -> None:
        self._open(f"/folders/{self._rooms.folder}?file={self._rooms.file}")
        self._take("files")

    def runs(self) -> None:
        self._open("/runs")
        self._take("runs")

    def admin(self) -> None:
        self._open("/admin/agents_core/run/")
        self._take("admin")

    def conflict(self, city: str) -> None:
        """The agent writes to the block in which a person is writing."""
        self._open(f"/agents/{self._demo.concierge}/memory?block={self._demo.human}")
        box = self._page.locator(".block-editor textarea")
        box.fill(box.input_value().replace("Prefers aisle seats.", "Prefers aisle seats near the front."))
        say(self._client, self._demo.concierge, f"I moved to {city} last month.")
        self._page.locator(".conflict").wait_for()
        self._take("memory-conflict")

    def _open(self, path: str) -> None:
        self._page.goto(path)
        self._page.wait_for_timeout(800)

    def _take(self, name: str) -> None:
        self._page.wait_for_timeout(900)
        self._page.mouse.move(0, 0)
        taken = IMAGES / f"{name}-{self._suffix}.png"
        self._page.screenshot(path=taken)
        if shutil.which("pngquant"):
            subprocess.run(["pngquant", "--force", "--ext", ".png", taken], check=True)


def live(page: Page, client: Letta, demo: Demo) -> None:
    """What a person adds by hand, and the last words before the pictures are taken."""
    page.goto(f"/agents/{demo.concierge}/memory?block={demo.human}")
    box = page.locator(".block-editor textarea")
    box.fill(f"{box.input_value()}\nBudget for leisure travel: €600 a flight.")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Budget for leisure travel").first.wait_for()
    say(client, demo.concierge, LAST)


SUBJECTS = (
    "agents", "workspace", "compaction", "memory", "tool", "rules", "compare", "search", "debugger", "next_request", "watches",
    "tool_steps", "palette", "help", "notifications", "tour", "new_agent", "settings", "sleeptime", "approvals", "groups", "mcp",
    "files", "runs", "admin",
)  # fmt: skip


def opened(
    browser: Browser, origin: str, theme: Literal["dark", "light"], size: tuple[int, int], password: str
) -> Page:
    """A page of somebody who is logged in to the admin panel."""
    viewport: ViewportSize = {"width": size[0], "height": size[1]}
    page = browser.new_page(base_url=origin, viewport=viewport, color_scheme=theme)
    page.goto("/admin/login/")
    page.locator("#id_username").fill("admin")
    page.locator("#id_password").fill(password)
    page.locator("[type=submit]").click()
    page.locator("#content-main").wait_for()
    return page


def photograph(server: Server, browser: Browser, wanted: list[str]) -> None:
    origin = f"http://localhost:{server.port}"
    client = Letta(base_url=origin)
    demo, rooms = furnish(client), furnish_rooms(client)
    told = re.search(r"password (\S+)", server.output)
    assert told, server.output
    password = told[1].rstrip(".")
    first = browser.new_page(base_url=origin)
    live(first, client, demo)
    first.close()
    views = [(theme, size) for theme in THEMES for size in SIZES]
    pages = {f"{theme}-{size[0]}": opened(browser, origin, theme, size, password) for theme, size in views}
    for suffix, page in pages.items():
        taken = Photographer(page, client, demo, rooms, suffix)
        for name in SUBJECTS:
            if not wanted or name in wanted:
                getattr(taken, name)()
    # At the end, for they change the agent of the others.
    for (suffix, page), city in zip(pages.items(), CITIES, strict=True):
        if not wanted or "conflict" in wanted:
            Photographer(page, client, demo, rooms, suffix).conflict(city)


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(Path(folder) / "home") as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        photograph(server, browser, sys.argv[1:])
        browser.close()
        server.stop()


if __name__ == "__main__":
    main()
