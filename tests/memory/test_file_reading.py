"""The text of files of each format, and the passages and views that are made of it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents_core.memory.files import apart
from agents_core.memory.files.apart import text_apart
from agents_core.memory.files.chunks import CHUNK_CHARS, chunks_of
from agents_core.memory.files.reading import UnknownFormat, Unreadable, text_of
from agents_core.memory.files.views import view_of
from tests.memory.documents import docx, pdf


@pytest.mark.parametrize(
    ("name", "body", "text"),
    [
        ("a.txt", b"one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("a.md", "# Grüße\n".encode(), "# Grüße\n"),
        ("a.py", b"\xef\xbb\xbfprint(1)", "print(1)"),
        ("a.csv", "Größe;1".encode("cp1252"), "Größe;1"),
        ("A.TXT", "東京".encode("utf-16"), "東京"),
        ("a.html", b"<h1>Otters</h1><p>See <a href='/x'>this</a>.</p>", "# Otters\n\nSee [this](/x)."),
        ("a.pdf", pdf("Otters hold hands.", "They sleep."), "Otters hold hands.\n\nThey sleep."),
        ("a.docx", docx("First line", "Second &amp; last"), "First line\nSecond & last"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 8 else "",
)
async def test_a_file_of_each_format_gives_its_text_also_in_a_process_of_its_own(
    name: str, body: bytes, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert text_of(name, body) == text
    assert await text_apart(name, body) == text


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("a.txt", b"\x00\x01\x02", "binary data"),
        ("a.txt", b"  \n ", "no text"),
        ("a.pdf", b"%PDF-1.4 broken", "damaged"),
        ("a.pdf", pdf("sound")[:200], "damaged"),
        ("a.pdf", pdf(""), "no text"),
        ("a.docx", b"no zip", "damaged"),
        ("a.docx", docx("x")[:-30], "damaged"),
        ("a.html", b"<div>" * 5000, "nested too deeply"),
    ],
)
async def test_what_cannot_be_read_is_told_in_words(name: str, body: bytes, words: str) -> None:
    with pytest.raises(Unreadable) as raised:
        await text_apart(name, body)
    assert words in raised.value.message


@pytest.mark.parametrize("name", ["a.png", "a.exe", "a", "a.", ".pdf.zip", "noending"])
def test_a_format_that_is_not_read_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(UnknownFormat, match="cannot be read"):
        text_of(name, b"text")


async def test_a_reader_that_takes_too_long_or_too_much_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "TIMEOUT_S", 0.01)
    with pytest.raises(Unreadable, match="more memory or time"):
        await text_apart("a.txt", b"text")


TEXTS = st.text(st.sampled_from("ab é.!?\n\t") | st.characters(), max_size=4 * CHUNK_CHARS)


@given(TEXTS)
def test_passages_hold_all_of_the_text_in_order_and_none_is_too_long(text: str) -> None:
    chunks = chunks_of(text)
    assert "".join("".join(chunk.text.split()) for chunk in chunks) == "".join(text.split())
    assert all(0 < len(chunk.text) <= CHUNK_CHARS for chunk in chunks)
    lines = text.split("\n")
    for chunk in chunks:
        assert chunk.text.split("\n")[0].strip() in lines[chunk.line]


def test_a_text_is_cut_where_a_paragraph_ends() -> None:
    paragraphs = ["word " * 100, "more " * 100, "last " * 100]
    assert [chunk.text for chunk in chunks_of("\n\n".join(paragraphs))] == [
        "\n\n".join(part.strip() for part in paragraphs[:2]).replace("word\n", "word \n"),
        paragraphs[2].strip(),
    ]


@pytest.mark.parametrize(
    ("start", "length", "limit", "heading", "lines"),
    [
        (0, None, 100, "[Lines 1 to 4 of 4]", ["1→ one", "2→ two", "3→ three", "4→ "]),
        (1, 1, 100, "[Lines 2 to 2 of 4]", ["2→ two"]),
        (0, None, 8, "[Lines 1 to 2 of 4]", ["1→ one", "2→ two"]),
        (2, None, 3, "[Lines 3 to 3 of 4]", ["3→ thr"]),
        (99, 5, 100, "[Lines 4 to 4 of 4]", ["4→ "]),
    ],
)
def test_a_view_shows_whole_lines_by_their_numbers(
    start: int, length: int | None, limit: int, heading: str, lines: list[str]
) -> None:
    view = view_of("one\ntwo\nthree\n", start, length, limit)
    assert view.text.split("\n") == [heading, *lines]
    assert view.end - view.start == len(lines)
