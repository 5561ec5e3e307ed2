"""The text of a file, whatever its format. No format's library is imported before it is needed."""

import codecs
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import PurePath
from typing import TYPE_CHECKING

from agents_core.errors import Refused

if TYPE_CHECKING:
    from lxml.etree import _Element

MOST_PAGES = 2_000
"""Pages of a PDF that are read."""

_MOST_DOCUMENT_BYTES = 64 * 2**20
_TEXT_SUFFIXES = (
    ".txt .md .markdown .rst .json .jsonl .csv .tsv .log .xml .yaml .yml .toml .ini .cfg .conf .properties .tex .css .scss .less "
    ".sh .bash .zsh .fish .ps1 .bat .sql .graphql .proto .py .pyi .js .jsx .mjs .cjs .ts .tsx .vue .svelte .c .h .cc .cpp .cxx .hpp "
    ".cs .java .kt .kts .scala .go .rs .rb .php .pl .pm .r .swift .m .lua .jl .hs .ml .ex .exs .erl .clj .dart .nim .zig .diff "
    ".patch .srt .vtt .tf .nix .gradle .cmake .mk"
)
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_BLANK_LINES = re.compile(r"\n{3,}")


class UnknownFormat(Refused):
    """A file of this name holds nothing that can be read here."""

    code = "unknown_format"
    http_status = 415


class Unreadable(Refused):
    """The file is not what its name says, or holds no text. The message is for the person who uploaded it."""

    code = "unreadable_file"


def check_format(name: str) -> None:
    """Raises ``UnknownFormat`` for a name whose format is not read here."""
    _reader(name)


def text_of(name: str, body: bytes) -> str:
    """The text of a file. Raises ``UnknownFormat``, ``Unreadable``."""
    text = _reader(name)(body).replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    if not text.strip():
        raise Unreadable("There is no text in this file. A scanned document has to be recognised (OCR) first.")
    return text


def _reader(name: str) -> Callable[[bytes], str]:
    suffix = PurePath(name).suffix.lower()
    if suffix in _TEXT_SUFFIXES.split():
        return plain_text
    if suffix not in _READERS:
        kind = f"of the type {suffix}" if suffix else "without an ending in their name"
        known = "PDF, Word (docx), HTML, text, Markdown, JSON, CSV or source code"
        raise UnknownFormat(f"Files {kind} cannot be read here: upload {known}.")
    return _READERS[suffix]


def plain_text(body: bytes, charset: str | None = None) -> str:
    """``body`` decoded: by its byte order mark, as ``charset``, as UTF-8, else as Windows-1252. Raises ``Unreadable`` for binary data."""
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body.decode(encoding, errors="replace")
    if b"\x00" in body[:8192]:
        raise Unreadable("This is binary data and no text: its name ends as if it were text.")
    for encoding in (charset or "utf-8", "utf-8"):
        try:
            return body.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return body.decode("cp1252", errors="replace")


def html_text(body: bytes) -> str:
    """A page as Markdown, with its links."""
    return markdown(plain_text(body))


def markdown(html: str) -> str:
    """HTML as Markdown, without pictures. Raises ``Unreadable`` when it is nested too deeply."""
    from markdownify import markdownify

    try:
        text: str = markdownify(html, heading_style="ATX", strip=["img"])
    except RecursionError:
        raise Unreadable("The page is nested too deeply to be read.") from None
    return _BLANK_LINES.sub("\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip()


def pdf_text(body: bytes) -> str:
    """The text of a PDF, a blank line between pages. Raises ``Unreadable``."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(body))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("The PDF is locked with a password: remove it and upload the file again.")
        if len(reader.pages) > MOST_PAGES:
            raise Unreadable(f"The PDF has {len(reader.pages):,} pages; {MOST_PAGES:,} can be read: split it.")
        return "\n\n".join(page.extract_text() for page in reader.pages)
    except Unreadable:
        raise
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError) as error:
        # A broken document may make the library trip anywhere.
        raise Unreadable(f"The PDF is damaged: {type(error).__name__}: {error}") from None


_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def docx_text(body: bytes) -> str:
    """The paragraphs of a Word document, one a line. Raises ``Unreadable``."""
    from lxml import etree

    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            if archive.getinfo("word/document.xml").file_size > _MOST_DOCUMENT_BYTES:
                raise Unreadable(f"The document unpacks to more than {_MOST_DOCUMENT_BYTES // 2**20} MB: split it.")
            source = archive.read("word/document.xml")
        root = etree.fromstring(source, etree.XMLParser(resolve_entities=False, no_network=True))
    except (zipfile.BadZipFile, KeyError, etree.XMLSyntaxError, NotImplementedError, RuntimeError) as error:
        raise Unreadable(f"The Word document is damaged: {error}") from None
    return "\n".join(_paragraph(paragraph) for paragraph in root.iter(f"{_WORD}p"))


def _paragraph(paragraph: "_Element") -> str:
    words = {f"{_WORD}tab": "\t", f"{_WORD}br": "\n"}
    return "".join(
        words.get(part.tag) or (part.text or "") for part in paragraph.iter(f"{_WORD}t", f"{_WORD}tab", f"{_WORD}br")
    )


_READERS: dict[str, Callable[[bytes], str]] = {
    ".pdf": pdf_text,
    ".docx": docx_text,
    ".html": html_text,
    ".htm": html_text,
}
