"""The workspace of an agent with a long past in a real browser: opening it, choosing steps, scrolling back, and live events."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

from playwright.async_api import Page, async_playwright

from benchmarks.bench import Bench, say
from benchmarks.client import Client
from benchmarks.parts.live import FLAGS, latencies, opened
from benchmarks.table import Row
from tests.long_agent import live_long

PART = "The workspace in Chromium"
_STEPS, _QUICK_STEPS = 10_000, 1_000
_CHOSEN = 50
_OPENINGS = 12
_SCROLLS, _SCROLL_PX, _SCROLL_PAUSE_MS = 120, 400, 16
_SLOW_FRAME_MS = 50
_RUNNING = 20
_LIVE_S = 20
_MODEL_MS = 1_000

# Notes when the context panel and the newest turn were first on screen, in ms after the navigation began.
_NOTE_OPENED = """
const look = () => {
  const turn = document.querySelector("#trace > .turn:last-of-type")?.getBoundingClientRect();
  const segment = document.querySelector("#panel-context .seg");
  if (!segment || !turn || turn.top > innerHeight || turn.bottom < 0) return requestAnimationFrame(look);
  requestAnimationFrame(() => setTimeout(() => (window.opened = performance.now())));
};
requestAnimationFrame(look);
"""
# From the input event until the frame with the step's context is painted.
_CHOOSE = """(step) => new Promise((resolve) => {
  const range = document.querySelector("[data-scrubber]");
  const shown = () => document.getElementById("panel-context")?.dataset.params.startsWith(`step=${step}`);
  const began = performance.now();
  const observer = new MutationObserver(() => {
    if (!shown()) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - began)));
  });
  observer.observe(document.getElementById("aside-panel"), { subtree: true, childList: true, attributes: true });
  range.value = String(step);
  range.dispatchEvent(new Event("input", { bubbles: true }));
})"""
_WATCH_FRAMES = """() => {
  window.frames_ms = [];
  let last = performance.now();
  const next = (now) => {
    window.frames_ms.push(now - last);
    last = now;
    requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
}"""
_DOM_NODES = "document.querySelectorAll('*').length"


async def measure(bench: Bench) -> list[Row]:
    steps = _QUICK_STEPS if bench.quick else _STEPS
    async with async_playwright() as playwright, Client(bench.port) as client:
        agent = await bench.agent(client)
        await say(client, agent)()
        await asyncio.to_thread(live_long, agent, steps)
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        try:
            page = await browser.new_page(viewport={"width": 1600, "height": 960})
            return [
                await _openings(bench, page, agent, steps),
                await _choices(bench, page, agent, steps),
                await _scrolling(page),
                *await _live(bench, page, agent),
            ]
        finally:
            await browser.close()


async def _openings(bench: Bench, page: Page, agent: str, steps: int) -> Row:
    await page.add_init_script(_NOTE_OPENED)
    times = []
    for _ in range(bench.few(_OPENINGS) + 1):
        await page.goto(f"http://localhost:{bench.port}/agents/{agent}")
        await page.wait_for_function("window.opened")
        times.append(float(await page.evaluate("window.opened")))
    nodes = await page.evaluate(_DOM_NODES)
    name = f"opened, at {steps:,} steps ({nodes:,} elements)"
    return _row(bench, name, times[1:])


async def _choices(bench: Bench, page: Page, agent: str, steps: int) -> Row:
    await page.goto(f"http://localhost:{bench.port}/agents/{agent}")
    await page.wait_for_selector('#live[data-live="on"]', state="attached")
    chosen = random.Random(7).sample(range(1, steps), bench.few(_CHOSEN) + 1)
    times = []
    for step in chosen:
        times.append(float(await page.evaluate(_CHOOSE, step)))
        await asyncio.sleep(0.1)
    return _row(bench, "a step chosen in the scrubber, input to paint", times[1:])


async def _scrolling(page: Page) -> Row:
    await page.goto(page.url.partition("/steps/")[0])
    await page.wait_for_function("window.opened")
    await page.mouse.move(600, 400)
    turns = await _turns(page)
    await page.evaluate(_WATCH_FRAMES)
    for _ in range(_SCROLLS):
        await page.mouse.wheel(0, -_SCROLL_PX)
        await page.wait_for_timeout(_SCROLL_PAUSE_MS)
    frames: list[float] = await page.evaluate("window.frames_ms")
    slow = sum(frame > _SLOW_FRAME_MS for frame in frames)
    more, nodes = await _turns(page) - turns, await page.evaluate(_DOM_NODES)
    name = f"frames while scrolling up, {more} turns loaded, {nodes:,} elements then"
    return Row(PART, f"{name}: {slow} of {len(frames)} over {_SLOW_FRAME_MS} ms", frames)


async def _turns(page: Page) -> int:
    return int(await page.evaluate("document.querySelectorAll('#trace > .turn').length"))


async def _live(bench: Bench, page: Page, agent: str) -> list[Row]:
    """The page of the old agent, while it and others take turns of a model that needs a second for an answer."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(Client(bench.port)) for _ in range(_RUNNING)]
        agents = [agent, *[await bench.agent(client, message_buffer_autoclear=True) for client in clients[1:]]]
        seen = await opened(bench, page, agent)
        running = [
            asyncio.create_task(_turn_after_turn(client, each, n / _RUNNING))
            for n, (client, each) in enumerate(zip(clients, agents, strict=True))
        ]
        await asyncio.sleep(_LIVE_S / 4 if bench.quick else _LIVE_S)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        return [_row(bench, f"a live event, {_RUNNING} agents running", await latencies(bench, page, agent, seen))]


async def _turn_after_turn(client: Client, agent: str, after_s: float) -> None:
    await asyncio.sleep(after_s)
    while True:
        await say(client, agent, f"Remember this. steps=4 wait_ms={_MODEL_MS}")()


def _row(bench: Bench, name: str, times: Sequence[float], **more: Any) -> Row:
    return Row(PART, name, times, baseline_ms=bench.health_ms, baseline="health", **more)
