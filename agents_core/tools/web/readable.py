"""A fetched page as an agent reads it: Markdown of what matters on it, links kept."""

import re

from agents_core.memory.files.reading import Unreadable, markdown, pdf_text, plain_text
from agents_core.tools.base import ToolError
from agents_core.tools.web.fetch import Page

_MOST_HTML_CHARS = 1_000_000
# A page whose article is a smaller part of its text is a list or a form: all of it is shown.
_LEAST_SHARE = 0.2
_META_CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?([\w-]+)", re.IGNORECASE)
_HTML = ("text/html", "application/xhtml+xml")
_TEXT = re.compile(r"text/|application/(.*\+)?(json|xml|yaml|javascript|x-ndjson)$")


def readable(page: Page) -> str:
    """The text of a page, its address above it. Raises ``ToolError`` for one that has none."""
    try:
        text = _text(page).strip()
    except Unreadable as error:
        raise ToolError(f"{page.url} could not be read: {error.message}") from None
    if not text:
        raise ToolError(f"There is no text at {page.url}: it may need a browser that runs its scripts.")
    return f"Source: {page.url}\n\n{text}" + ("\n\n[cut: the page is longer than is fetched]" if page.cut else "")


def _text(page: Page) -> str:
    if page.media_type in _HTML or (not page.media_type and b"<html" in page.body[:2048].lower()):
        named = _META_CHARSET.search(page.body[:4096])
        return _html(plain_text(page.body, page.charset or (named and named[1].decode())), page.url)
    if page.media_type == "application/pdf" or page.body.startswith(b"%PDF-"):
        if page.cut:
            raise Unreadable("the PDF is longer than is fetched.")
        return pdf_text(page.body)
    if _TEXT.match(page.media_type) or not page.media_type:
        return plain_text(page.body, page.charset)
    raise Unreadable(f"it is {page.media_type}, which has no text to read.")


def _html(source: str, url: str) -> str:
    from lxml.etree import LxmlError
    from readability import Document
    from readability.readability import Unparseable

    source = source[:_MOST_HTML_CHARS]
    if not source.strip():
        return ""
    try:
        document = Document(source, url=url)
        article = markdown(document.summary(html_partial=True))
        title, whole = document.short_title(), markdown(_body(source, url))
    except (Unparseable, LxmlError, ValueError) as error:
        raise Unreadable(f"its HTML is damaged: {error}") from None
    text = article if len(article) >= _LEAST_SHARE * len(whole) else whole
    return f"# {title}\n\n{text}" if title and title != "[no-title]" and not text.startswith("# ") else text


def _body(source: str, url: str) -> str:
    """The whole page without what is not for reading."""
    from lxml import html

    root = html.document_fromstring(source.encode(), parser=html.HTMLParser(encoding="utf-8"))
    root.make_links_absolute(url, handle_failures="ignore")
    for element in root.xpath("//script | //style | //noscript | //template | //svg | //head"):
        element.drop_tree()
    text: str = html.tostring(root, encoding="unicode")
    return text
