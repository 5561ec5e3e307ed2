"""fetch_webpage: what an agent reads of a page, and where it cannot reach."""

import gzip
import threading
import time
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agents_core.addresses import AddressRefused, public_addresses
from agents_core.tools.base import ToolContext, ToolError
from agents_core.tools.execute import run_builtin
from agents_core.tools.web import fetch as fetching
from agents_core.tools.web.fetch import LIMIT_BYTES, fetch
from agents_core.tools.web.readable import readable
from tests.memory.documents import pdf
from tests.tools.site import Answer, Site, certified, loopback

ARTICLE = (
    "<html><head><title>Otters</title><script>var secret = 1</script></head><body><nav><a href='/n'>Menu</a></nav><article>"
    + "<p>Otters hold hands, they say, when they sleep; see <a href='/more?x=1'>more</a> of it, and more.</p>" * 8
    + "</article><footer>Imprint</footer></body></html>"
)


async def read(site: Site, path: str, host: str = "page.example") -> str:
    return readable(await fetch(site.at(path, host), loopback))


async def test_a_page_is_its_article_with_whole_links_and_no_scripts() -> None:
    with Site({"/otters": Answer(ARTICLE.encode())}) as site:
        text = await read(site, "/otters")
        assert text.startswith(f"Source: {site.at('/otters')}\n\n# Otters\n\n")
        assert f"[more]({site.at('/more?x=1')})" in text
        assert "secret" not in text
        assert "Menu" not in text
        assert site.asked[0].headers["host"] == f"page.example:{site.port}"


async def test_a_page_without_an_article_is_shown_as_a_whole() -> None:
    links = "".join(f"<li><a href='/{n}'>Entry {n}</a></li>" for n in range(40))
    page = f"<body><div><p>One line, of an article, perhaps.</p></div><ul>{links}</ul><script>x()</script></body>"
    with Site({"/": Answer(page.encode())}) as site:
        text = await read(site, "/")
    assert "[Entry 39](" in text
    assert "x()" not in text


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("Grüße".encode("latin-1"), "text/plain; charset=iso-8859-1"),
        ("Grüße".encode(), "text/plain"),
        ("Grüße".encode(), "text/plain; charset=no-such-charset"),
        ("<html><head><meta charset='windows-1252'></head><body>Grüße</body></html>".encode("cp1252"), "text/html"),
        ("\ufeffGrüße".encode("utf-16"), "text/plain"),
        ('{"word": "Grüße"}'.encode(), "application/json"),
        (gzip.compress("Grüße".encode(), mtime=0), "text/plain"),
    ],
)
async def test_text_is_read_in_whatever_way_it_is_written(body: bytes, content_type: str) -> None:
    headers = {"Content-Encoding": "gzip"} if body.startswith(b"\x1f\x8b") else {}
    with Site({"/": Answer(body, content_type, headers=headers)}) as site:
        assert "Grüße" in await read(site, "/")


@pytest.mark.parametrize("content_type", ["application/pdf", "application/octet-stream"])
async def test_a_pdf_is_read_by_what_it_is(content_type: str) -> None:
    with Site({"/paper": Answer(pdf("Otters hold hands."), content_type)}) as site:
        assert "Otters hold hands." in await read(site, "/paper")


async def test_redirects_are_followed_and_the_last_address_is_told() -> None:
    with Site({"/a": Answer(status=302, headers={"Location": "/b"}), "/b": Answer(b"here", "text/plain")}) as site:
        assert await read(site, "/a") == f"Source: {site.at('/b')}\n\nhere"


async def test_redirects_without_end_are_given_up() -> None:
    with Site({"/a": Answer(status=302, headers={"Location": "/a"})}) as site:
        with pytest.raises(ToolError, match="redirects more than 5 times"):
            await read(site, "/a")
        assert len(site.asked) == 6


async def test_what_is_longer_than_the_limit_is_cut_and_told() -> None:
    def endless(write: Callable[[bytes], object]) -> None:
        while True:
            write(b"word " * 10_000)

    with Site({"/": Answer(endless, "text/plain")}) as site:
        text = await read(site, "/")
    assert len(text) < LIMIT_BYTES + 200
    assert text.endswith("[cut: the page is longer than is fetched]")


async def test_a_page_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "TIMEOUT_S", 0.5)
    stop = threading.Event()

    def slow(write: Callable[[bytes], object]) -> None:
        while not stop.wait(0.1):
            write(b".")

    with Site({"/": Answer(slow, "text/plain")}) as site:
        started = time.monotonic()
        with pytest.raises(ToolError, match="did not answer within 0.5 s"):
            await read(site, "/")
        assert time.monotonic() - started < 3
        stop.set()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(b"gone", "text/plain", 404), "answered 404 Not Found"),
        (Answer(b"\x89PNG\r\n", "image/png"), "it is image/png, which has no text"),
        (Answer(b"", "text/html"), "There is no text"),
        (Answer(b"%PDF-1.4 nonsense", "application/pdf"), "The PDF is damaged"),
        (Answer(b"x" * (LIMIT_BYTES + 1), "application/pdf"), "longer than is fetched"),
        (Answer(b"<div>" * 20_000 + b"deep", "text/html"), "There is no text"),
    ],
)
async def test_a_page_without_readable_text_is_told_as_what_it_is(answer: Answer, words: str) -> None:
    with Site({"/": answer}) as site, pytest.raises(ToolError) as raised:
        await read(site, "/")
    assert words in raised.value.message


async def test_the_server_has_to_prove_the_name_although_its_address_is_connected_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, client = certified("page.example", tmp_path)
    monkeypatch.setattr(fetching, "tls", lambda: client)
    with Site({"/": Answer(b"proved", "text/plain")}, server) as site:
        assert b"proved" in (await fetch(site.at("/", scheme="https"), loopback)).body
        with pytest.raises(ToolError, match="certificate"):
            await fetch(site.at("/", "other.example", "https"), loopback)


# --- where it cannot reach ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://[::1]:{port}/", "http://[::ffff:127.0.0.1]:{port}/",
     "http://2130706433:{port}/", "http://10.0.0.1/", "http://192.168.1.1/", "http://169.254.169.254/latest/meta-data/"],
)  # fmt: skip
async def test_the_machine_and_its_network_are_not_reached_also_by_a_redirect(target: str) -> None:
    asked_about: list[str] = []

    async def first_is_public(host: str, port: int) -> list[str]:
        asked_about.append(host)
        return ["127.0.0.1"] if host == "page.example" else await public_addresses(host, port)

    with Site({}) as site:
        inside = target.format(port=site.port)
        with pytest.raises(AddressRefused):
            await fetch(inside)
        assert not site.asked
        site.answers["/go"] = Answer(status=302, headers={"Location": inside})
        with pytest.raises(AddressRefused):
            await fetch(site.at("/go"), first_is_public)
        assert [asked.path for asked in site.asked] == ["/go"]
        assert len(asked_about) == 2


async def test_a_redirect_to_another_kind_of_address_is_refused() -> None:
    elsewhere = Answer(status=302, headers={"Location": "file:///etc/passwd"})
    with Site({"/": elsewhere}) as site, pytest.raises(ToolError, match="begins with http"):
        await read(site, "/")


@pytest.mark.parametrize(
    "url", ["", "otters", "ftp://page.example/", "file:///etc/passwd", "http://", "http:///x", "http://[", "x" * 5000,
            "http://page.example:99999/", "javascript:alert(1)"],
)  # fmt: skip
async def test_what_is_no_address_is_refused_in_words(url: str) -> None:
    context = ToolContext("agent-1", "step-1", "call-1", ZoneInfo("UTC"), {}, None, None)
    result = await run_builtin("fetch_webpage", {"url": url}, context, 1000)
    assert result.status == "error"
    assert "ToolError" in result.text or "AddressRefused" in result.text


async def test_a_host_that_is_looked_up_anew_is_not_asked_twice() -> None:
    """A name that leads to a public address when it is checked and inside when it is connected to gets nowhere."""
    lookups: list[str] = []

    async def changing(host: str, port: int) -> list[str]:
        lookups.append(host)
        return ["127.0.0.1"]

    with Site({"/": Answer(b"ok", "text/plain")}) as site:
        await fetch(site.at("/", "rebinding.example"), changing)
        assert lookups == ["rebinding.example"]
        assert site.asked[0].headers["host"].startswith("rebinding.example")
