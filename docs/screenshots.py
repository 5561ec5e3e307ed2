"""Takes the screenshots of the documents from a server of its own: ``python -m docs.screenshots``."""

import tempfile
from pathlib import Path
from typing import Literal

from letta_client import Letta
from playwright.sync_api import Page, expect, sync_playwright

from docs.demo import LAST, Demo, furnish, say
from tests.e2e.serving import Server

IMAGES = Path(__file__).parent / "images"
SIZES = ((1600, 960), (1280, 800), (900, 800))
CLOSER = 1280
"""The width of the pictures that show one thing."""
THEMES: tuple[Literal["dark"], Literal["light"]] = ("dark", "light")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


class Photographer:
    """Opens the pages of ``demo`` as a person would leave them, and takes their pictures as ``<page>-<suffix>.png``."""

    def __init__(self, page: Page, client: Letta, demo: Demo, suffix: str) -> None:
        self._page = page
        self._client = client
        self._demo = demo
        self._suffix = suffix

    def agents(self) -> None:
        self._client.agents.messages.create_async(self._demo.triage, input="call fetch_mail with mailbox=clinic")
        self._open("/agents")
        self._take("agents")

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
        self._page.screenshot(path=IMAGES / f"{name}-{self._suffix}.png")


def live(page: Page, client: Letta, demo: Demo) -> None:
    """What a person adds by hand, and the last words before the pictures are taken."""
    page.goto(f"/agents/{demo.concierge}/memory?block={demo.human}")
    box = page.locator(".block-editor textarea")
    box.fill(f"{box.input_value()}\nBudget for leisure travel: €600 a flight.")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Budget for leisure travel").first.wait_for()
    say(client, demo.concierge, LAST)


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(Path(folder) / "home") as server,
        sync_playwright() as playwright,
    ):
        origin = f"http://localhost:{server.port}"
        client = Letta(base_url=origin)
        demo = furnish(client)
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        first = browser.new_page(base_url=origin)
        live(first, client, demo)
        first.close()
        for theme in THEMES:
            for width, height in SIZES:
                page = browser.new_page(
                    base_url=origin, viewport={"width": width, "height": height}, color_scheme=theme
                )
                taken = Photographer(page, client, demo, f"{theme}-{width}")
                taken.agents()
                taken.workspace()
                if width == CLOSER:
                    taken.compaction()
                taken.memory()
                taken.tool()
                taken.rules()
                taken.compare()
                taken.search()
                taken.debugger()
                if width == CLOSER:
                    taken.next_request()
                    taken.watches()
                    taken.tool_steps()
                    taken.palette()
                    taken.help()
                    taken.notifications()
                    taken.tour()
                page.close()
        for theme in THEMES:
            page = browser.new_page(base_url=origin, viewport={"width": CLOSER, "height": 800}, color_scheme=theme)
            Photographer(page, client, demo, f"{theme}-{CLOSER}").conflict("Cascais" if theme == "dark" else "Sintra")
            page.close()
        browser.close()
        server.stop()


if __name__ == "__main__":
    main()
