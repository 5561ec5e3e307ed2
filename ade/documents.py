"""The project's documents as pages of the product: docs/*.md, drawn without a network."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt
from markdown_it.token import Token

from agents_core.errors import NotFound

FIRST = "ide"
"""What somebody who asks for help reads first."""

_ORDER = (
    *(FIRST, "agents", "context", "memory", "debugger", "time-travel", "compare", "watches"),
    *("tools", "tool-lab", "sandbox", "operating", "benchmarks", "architecture"),
)
_FOLDER = Path(settings.BASE_DIR) / "docs"
_NAME = re.compile(r"[a-z0-9-]+")
_PICTURE = re.compile(r"[a-z0-9-]{1,80}\.png")


@dataclass(frozen=True, slots=True)
class Heading:
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """``html`` is without the title. ``sections``: its headings of the second level."""

    name: str
    title: str
    html: SafeString
    sections: Sequence[Heading]


def names() -> list[str]:
    """All documents: those of a known place first, the others by name."""
    present = {path.stem for path in _FOLDER.glob("*.md") if _NAME.fullmatch(path.stem)}
    return [*(name for name in _ORDER if name in present), *sorted(present - set(_ORDER))]


@cache
def document(name: str) -> Document:
    """Raises ``NotFound``."""
    if name not in names():
        raise NotFound(_("There is no such page of help."))
    path = _FOLDER / f"{name}.md"
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(path.read_text())
    title = tokens[1].content if tokens and tokens[0].type == "heading_open" else name
    body = tokens[3:] if tokens and tokens[0].type == "heading_open" else tokens
    sections = _name_headings(body)
    for token in body:
        _reach_from_here(token)
    # Our own documents, in which HTML is text.
    html = mark_safe(markdown.renderer.render(body, markdown.options, {}))
    return Document(name, title, html, [each for level, each in sections if level == "h2"])


def picture(name: str) -> Path:
    """A picture of the documents. Raises ``NotFound``."""
    path = _FOLDER / "images" / name
    if not _PICTURE.fullmatch(name) or not path.is_file():
        raise NotFound(_("There is no such picture."))
    return path


def _name_headings(tokens: Sequence[Token]) -> list[tuple[str, Heading]]:
    """Gives each heading the id by which documents link to it, as code forges do."""
    found = []
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            heading = Heading(slug(inline.content), inline.content)
            opening.attrSet("id", heading.id)
            found.append((opening.tag, heading))
    return found


def slug(text: str) -> str:
    """The id of a heading."""
    return re.sub(r"[^\w -]", "", text.casefold()).replace(" ", "-")


def _reach_from_here(token: Token) -> None:
    """Links to other documents lead to their pages, pictures come from here, and what is wide can be scrolled by keyboard."""
    for child in token.children or ():
        for name in ("href", "src"):
            if name in child.attrs:
                child.attrSet(name, _address(str(child.attrs[name])))
    if token.type == "fence":
        token.attrSet("tabindex", "0")


def _address(link: str) -> str:
    if link.startswith(("http:", "https:", "#", "/")):
        return link
    path, _, part = link.partition("#")
    if path.startswith("images/"):
        return f"/help/{path}"
    return f"/help/{Path(path).stem}" + (f"#{part}" if part else "")


def listed() -> list[dict[str, Any]]:
    """Name and title of every document."""
    return [{"name": name, "title": document(name).title} for name in names()]
