"""One server for the session, and a page of a real browser that fails its test on any error the browser reports."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Playwright, expect, sync_playwright

from tests.e2e.homes import filled
from tests.e2e.serving import Server

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The list of suggestions under the address bar is a page in a process of its own, which each window loads.
    # Only the last of these flags counts: the features after the first four are turned off by Playwright too.
    "--disable-features="
    + ",".join(
        (
            *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup", "SpareRendererForSitePerProcess"),
            *("AimEnabled", "HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable", "MediaRouter", "OptimizationHints"),
            *("NetworkTimeServiceQuerying", "PaintHolding", "PreconnectToSearch", "ThirdPartyStoragePartitioning"),
        )
    ),
)


# A shared machine may take its time; what never comes still fails.
expect.set_options(timeout=20_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.timeout(400))


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """``manage.py serve`` on a home of its own."""
    with Server(filled(tmp_path_factory.mktemp("browser") / "home")) as server:
        yield server
        server.stop()


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Ends with its module: it keeps an event loop running, beside which no async test can start its own."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium: the machine's own, else Playwright's; without any the test is skipped."""
    try:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
    except Error as error:
        pytest.skip(f"No browser: {error}")
    yield started
    started.close()


@pytest.fixture
def page(live: Server, browser: Browser) -> Iterator[Page]:
    """A page of a fresh browser profile; addresses begin at the server's. Told errors fail the test at its end."""
    context = browser.new_context(base_url=f"http://localhost:{live.port}", viewport={"width": 1600, "height": 960})
    opened = context.new_page()
    errors: list[str] = []
    opened.on("console", lambda message: errors.extend(_told(message)))
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert errors == []


# What the browser itself tells of a server that refuses or is gone; what a page makes of that is the test's to check.
_ABOUT_THE_SERVER = ("Failed to load resource", "WebSocket connection to", "Response Status Error Code")
# What htmx tells of a request that ended early: for a newer one (hx-sync="replace", as typing does), or with the page.
_ENDED = ("htmx:sendAbort", "htmx:afterRequest")


def _told(message: ConsoleMessage) -> list[str]:
    expected = message.text.startswith(_ABOUT_THE_SERVER + _ENDED)
    return [message.text] if message.type == "error" and not expected else []
