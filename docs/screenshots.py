"""Takes the screenshots of the documents from a server of its own: ``python -m docs.screenshots``."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from letta_client import Letta
from playwright.sync_api import Page, sync_playwright

from tests.e2e.serving import Server

IMAGES = Path(__file__).parent / "images"
SIZES = ((1600, 960), (1280, 800), (900, 800))
THEMES = ("dark", "light")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

SAID = (
    "Hi! My name is Inês and I work as a cardiologist.",
    "I live in Porto.",
    "I prefer aisle seats.",
    "Remember that the family passports expire in May 2027.",
    "Remember that we liked the small hotel near Boavista.",
    "I moved to Lisbon last month.",
    "When do our passports expire?",
    'call find_flights with origin="LIS", destination="BOS", max_price_eur=600',
)
TOOL = '''def find_flights(origin: str, destination: str, max_price_eur: int = 600, direct: bool = True) -> list[dict]:
    """Find flights between two airports.

    Args:
        origin: IATA code of the airport to leave from.
        destination: IATA code of the airport to reach.
        max_price_eur: Highest price of one seat, in euros.
        direct: Leave out flights with a stop.
    """
    print(f"asking for {origin} to {destination}")
    timetable = [("TP 217", 548, 0), ("TP 215", 571, 0), ("IB 613", 412, 1)]
    return [
        {"flight": flight, "price_eur": price, "stops": stops}
        for flight, price, stops in timetable
        if price <= max_price_eur and not (direct and stops)
    ]
'''


def furnish(client: Letta) -> tuple[str, str]:
    """An agent that has lived a little, and a tool of its own; gives their ids."""
    tool = client.tools.create(source_code=TOOL)
    blocks: list[Any] = [
        {"label": "human", "value": "", "limit": 2000, "description": "What I know about the person I talk with."},
        {"label": "persona", "value": "I plan trips for one family. I remember preferences and papers.", "limit": 2000},
    ]
    agent = client.agents.create(
        name="travel-concierge",
        description="Plans trips for one family; remembers preferences and papers.",
        model="offline/rules",
        memory_blocks=blocks,
        tools=["archival_memory_insert", "archival_memory_search", tool.name or ""],
        tags=["travel"],
    )
    for text in SAID:
        client.agents.messages.create(agent.id, input=text)
    client.agents.create(
        name="paper-reader", description="Reads and keeps notes.", model="offline/rules", tags=["research"]
    )
    return agent.id, tool.id


def pages(agent_id: str, tool_id: str) -> Iterator[tuple[str, str]]:
    yield "agents", "/agents"
    yield "workspace", f"/agents/{agent_id}"
    yield "memory", f"/agents/{agent_id}/memory"
    yield "tool", f"/tools/{tool_id}"


def shoot(page: Page, address: str, name: str) -> None:
    page.goto(address)
    page.wait_for_timeout(700)
    if name.startswith("tool"):
        page.locator("[data-run]").first.click()
        page.wait_for_timeout(900)
    page.screenshot(path=IMAGES / f"{name}.png")


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(Path(folder) / "home") as server,
        sync_playwright() as playwright,
    ):
        origin = f"http://localhost:{server.port}"
        ids = furnish(Letta(base_url=origin))
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        for theme in THEMES:
            for width, height in SIZES:
                page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme)
                for name, path in pages(*ids):
                    shoot(page, origin + path, f"{name}-{theme}-{width}")
                page.close()
        browser.close()
        server.stop()


if __name__ == "__main__":
    main()
