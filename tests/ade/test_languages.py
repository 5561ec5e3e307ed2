"""Pages in another language: each text of a page comes from the catalogue, unless a person, an agent or a program wrote it."""

import contextlib
import re
import shutil
from ast import literal_eval
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client, override_settings
from django.utils.translation import override, trans_real
from lxml import html

from agents_core.llm import presets
from tests.ade.everything import everything, everything_written

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).parents[2]


class Bracketed:
    """A catalogue in which every text is translated: into itself, in brackets. ``asked`` are those that were looked up."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def gettext(self, text: str) -> str:
        self.asked.add(text)
        return f"⟦{text}⟧"

    def ngettext(self, one: str, many: str, number: int) -> str:
        self.asked.add(one)
        return f"⟦{one if number == 1 else many}⟧"

    def to_language(self) -> str:
        return "de"


@pytest.fixture
def bracketed(translating: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bracketed]:
    catalogue = Bracketed()
    monkeypatch.setitem(trans_real._translations, "de", catalogue)  # type: ignore[attr-defined]
    with override("de"):
        yield catalogue


# --- what a page says -------------------------------------------------------------------------------------------------

SPOKEN_ATTRIBUTES = ("title", "aria-label", "placeholder", "alt", "hx-confirm", "data-key-label", "data-confirm-yes")
# Where source, messages and memory stand.
WRITTEN_TAGS = {"pre", "code", "kbd", "textarea", "script", "style", "symbol"}
WRITTEN_CLASSES = {"mono", "say", "user", "prose", "hit-text", "call", "arguments"}
# The same in every language: names, units, ids, addresses, names of tools and codes, and what the offline model thinks.
SAME = re.compile(
    r"→ .*|Rule '.*|[“{\[(].*|\"[a-z]+\".*|other instr.*"
    r"|\b(?:Mnemoscope|API|IDE|MCP|JSON Schema|JSON|Python|TypeScript|SSE|UTC|ms|min|pgvector|stdout|stderr|None|py|python|txt)\b"
    r"|\S*[/_]\S*|\b[a-z]+-[0-9a-f]{4}[0-9a-f-]*|\b[0-9a-f]{64}\b|-sleeptime|\btestserver\b"
)
EXAMPLES = {
    *(
        'JSON: {"yes": "send_mail", "no": "ask_again"}',
        '"Berlin" in arguments.query',
        "DONE!",
        "Authorization: Bearer …",
    ),
    *("API_KEY=…", "mylab", "npx -y @modelcontextprotocol/server-everything", "count", "topic", "len(block.human):"),
    *('len(block.human) "Berlin" in context tokens.messages', "Porto · · Mnemoscope"),
}
WORD = re.compile(r"[A-Za-z]{2,}")
LOOKED_FOR, LONG = 60, 20


def unbracketed(page: str) -> str:
    """The page without what stands in brackets, tags within them included."""
    found = 1
    while found:
        page, found = re.subn(r"⟦[^⟦⟧]*⟧", "", page)
    return page


def said(page: str) -> Iterator[str]:
    tree = html.document_fromstring(f"<body>{unbracketed(page)}</body>")
    for node in tree.iter("*"):
        if node.tag == "img" and is_written(node):  # a picture in the docs, which are written in one language
            continue
        yield from (str(node.get(name)) for name in SPOKEN_ATTRIBUTES if node.get(name))
        if not is_written(node):
            yield from (node.text or "", *(child.tail or "" for child in node))


def is_written(node: html.HtmlElement) -> bool:
    around = [node, *node.iterancestors()]
    return any(each.tag in WRITTEN_TAGS or WRITTEN_CLASSES.intersection(each.classes) for each in around)


def untranslated(page: str, written: set[str]) -> list[str]:
    """What the page says that is neither bracketed nor ``written``, as a whole or in part where it is long."""
    whole = "\n".join(written)
    texts = {" ".join(text.split()) for text in said(page)} - EXAMPLES
    own = {text: SAME.sub("", text).strip(" ·:;,…") for text in texts}
    return sorted(text for text in texts if WORD.search(own[text]) and not is_data(text, own[text], written, whole))


def is_data(text: str, own: str, written: set[str], whole: str) -> bool:
    long = [form[:LOOKED_FOR] for form in (text, own) if len(form) >= LONG]
    return text in written or own in written or any(form in whole for form in long)


# --- the pages --------------------------------------------------------------------------------------------------------

SECTIONS = ("model", "compaction", "budgets", "rules", "variables", "schedules", "conversations")
PANELS = [
    "head", "outline", "trace", "runs", "settings", "rules", "sleeptime", "context", "next", "core", "archival", "recall", "files",
    "raw", "timeline", "breakpoints", "events", "history", "branches", "compactions", "watches", "blame", "output",
]  # fmt: skip
OF_AGENT = [
    "?tour=1", "/memory", "/rules", "/rules?view=edit&node=open_door", "/rules?view=problems", "/rules?calls=open_door", "/preview",
    "/steps/1?diff=none", "/steps/4?diff=1", "/steps/1/fork", "/fork", "/steps/2/rewind", "/steps/1/again", "/digest", "/compare",
    "/compare/new?step=1", "/blocks", "/tools", "/sleeptime/runs", "/turns?before=x", "/panels/blame?view=blame",
    "/panels/blame?view=versions", "/panels/blame?view=versions&from=1&to=2", "/panels/blame?view=findings",
    "/panels/blame?view=proposals", "/panels/archival?q=spare", "/panels/recall?q=Porto", "/panels/watches?find=len(block.human)",
    "/panels/events?type=runs",
]  # fmt: skip
PAGES = [
    "/agents", "/agents?state=failed", "/agents?q=ζζζ", "/blocks", "/blocks?q=ζζζ", "/blocks/{block}", "/tools", "/tools?q=ζζζ",
    "/tools/new", "/tools/new?language=typescript", "/tools/{tool}", "/tools/{tool}/history", "/tools/{tool}/agents",
    "/tools/archival_memory_search", "/folders", "/folders?q=ζζζ", "/folders/{folder}", "/folders/{folder}?file={file}",
    "/folders/{folder}?file={file}&view=passages", "/folders/{folder}/agents", "/groups", "/groups/{group}", "/groups/{group}/edit",
    "/groups/agents", "/groups/{tending}", "/groups/{tending}/edit", "/batches", "/batches/{batch}",
    "/batches/{batch}?state=failed",
    "/mcp-servers", "/mcp-servers/new", "/mcp-servers/{server}", "/mcp-servers/{server}/agents", "/settings", "/runs", "/health",
    "/search", "/search?q=Porto", "/search?q=ζζζ", "/palette", "/palette?q=1&agent={agent}", "/help", "/nowhere", "/go/nothing",
    "/agents/{agent}/compare/{comparison}", "/agents/{agent}/experiments/{experiment}",
    "/agents/{agent}/branches/{branch}/come-back", "/agents/{agent}/forks/{fork}/adopt", "/agents/{agent}/passages/{passage}",
    "/agents/{agent}/passages/{passage}/edit", "/agents/{agent}?conversation={conversation}", "/agents/{fork}", "/agents/{waiting}",
    "/agents/{failed}", "/agents/{stands}", "/agents/{stands}/steps/1", "/agents/{failed}?main=runs",
    *(f"/agents/{{agent}}{page}" for page in ("", *OF_AGENT)),
    *(f"/agents/{{agent}}/panels/settings?section={name}" for name in SECTIONS),
    *(f"/agents/{{agent}}/panels/{name}" for name in PANELS),
]  # fmt: skip


@pytest.fixture
def world(builtin_tools: None, admin_client: Client) -> dict[str, str]:
    return everything(admin_client)


@pytest.mark.timeout(300)  # it reads a hundred pages
def test_every_text_of_every_page_comes_from_the_catalogue_and_a_translator_gets_it(
    admin_client: Client, world: dict[str, str], bracketed: Bracketed, tmp_path: Path
) -> None:
    written = everything_written()
    found = {}
    for page in PAGES:
        answer = admin_client.get(page.format(**world))
        assert answer.status_code < 500, page
        if texts := untranslated(answer.content.decode(), written):
            found[page] = texts
    assert found == {}
    if shutil.which("xgettext"):  # .ci/run has it
        missing = bracketed.asked - extracted(tmp_path) - NAMES
        assert {text for text in missing if WORD.search(re.sub(r"{\w+}", "", text))} == set()


def extracted(folder: Path) -> set[str]:
    """The texts that ``makemessages`` finds, and those of Django's own catalogue."""
    for part in ("ade", "agents_core", "templates"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    with contextlib.chdir(folder), override_settings(LOCALE_PATHS=[folder / "locale"]):
        call_command("makemessages", locale=["en"], no_wrap=True, no_location=True, verbosity=0)
    file = (folder / "locale/en/LC_MESSAGES/django.po").read_text()
    own = {literal_eval(found) for found in re.findall(r"^msgid (\".*\")$", file, re.MULTILINE)}
    django: Any = trans_real.translation("fr")
    return own | {key if isinstance(key, str) else key[0] for key in django._catalog.keys()}  # noqa: SIM118  (it has no other way in)


NAMES = {preset.label for preset in presets.PRESETS.values()}
