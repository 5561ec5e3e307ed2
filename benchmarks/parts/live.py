"""From the commit of an event to the page of a real browser."""

import asyncio

import psycopg
from playwright.async_api import Page, async_playwright

from agents_core.embedded.place import Place
from benchmarks.bench import Bench, say
from benchmarks.client import Client
from benchmarks.table import Row

PART = "A live page (Chromium)"
_CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu"]
_EVENTS = 50
_PAUSE_S = 0.08
# The page notes on <html data-seq> up to which event it shows.
_WATCH = """() => {
  window.shown = [];
  new MutationObserver(() => window.shown.push([Number(document.documentElement.dataset.seq), Date.now()]))
    .observe(document.documentElement, { attributes: true, attributeFilter: ["data-seq"] });
}"""
_COMMITTED = (
    "SELECT seq, extract(epoch FROM created_at)::float8 * 1000 FROM event WHERE agent_id = %s AND seq > %s ORDER BY seq"
)


async def measure(bench: Bench) -> list[Row]:
    async with async_playwright() as playwright, Client(bench.port) as client:
        browser = await playwright.chromium.launch(executable_path=_CHROMIUM, args=FLAGS)
        try:
            page = await browser.new_page()
            return [await _edits(bench, client, page), await _answers(bench, client, page)]
        finally:
            await browser.close()


async def _edits(bench: Bench, client: Client, page: Page) -> Row:
    agent, seen = await _open(bench, client, page)
    for number in range(bench.few(_EVENTS)):
        value = {"value": f"Her name is Ana. She has {number} boats."}
        await client.ask("PATCH", f"/v1/agents/{agent}/core-memory/blocks/human", value)
        await asyncio.sleep(_PAUSE_S)
    return Row(PART, "a block edited, commit to page", await latencies(bench, page, agent, seen))


async def _answers(bench: Bench, client: Client, page: Page) -> Row:
    agent, seen = await _open(bench, client, page)
    for _ in range(bench.few(16)):
        await say(client, agent)()
        await asyncio.sleep(2 * _PAUSE_S)
    return Row(PART, "an event of a one-step message, commit to page", await latencies(bench, page, agent, seen))


async def _open(bench: Bench, client: Client, page: Page) -> tuple[str, int]:
    """An agent whose workspace ``page`` shows live, and the number of the last event that stands there."""
    agent = await bench.agent(client)
    await say(client, agent)()
    return agent, await opened(bench, page, agent)


async def opened(bench: Bench, page: Page, agent: str) -> int:
    """Shows the workspace of ``agent`` live in ``page``; gives the number of the last event that stands there."""
    await page.goto(f"http://localhost:{bench.port}/agents/{agent}")
    await page.wait_for_selector('#live[data-live="on"]', state="attached", timeout=10_000)
    await asyncio.sleep(0.5)
    await page.evaluate(_WATCH)
    return int(await page.evaluate("document.documentElement.dataset.seq"))


async def latencies(bench: Bench, page: Page, agent: str, after: int) -> list[float]:
    """Of each event after ``after``, the time from its ``created_at`` until the page had got to it."""
    with psycopg.connect(**Place(bench.server.home).connection()) as connection:
        committed = connection.execute(_COMMITTED, (agent, after)).fetchall()
    last = max(seq for seq, _ in committed)
    await page.wait_for_function("seq => Number(document.documentElement.dataset.seq) >= seq", arg=last)
    shown: list[tuple[int, float]] = await page.evaluate("window.shown")
    return [next(at_ms for reached, at_ms in shown if reached >= seq) - created_ms for seq, created_ms in committed]
