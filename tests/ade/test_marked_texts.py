"""Every text stands where ``makemessages`` finds it: in ``translate``, ``blocktranslate`` or ``_("…")`` of a template, whole in Python."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
SOURCES = sorted((ROOT / "ade").rglob("*.py"))
MARKS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext"}
TRANSLATED = re.compile(r"{% (comment|blocktranslate)\b.*?{% end\1 %}", re.DOTALL)
TAG = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
SPOKEN_ATTRIBUTES = {"title", "aria-label", "placeholder", "alt", "hx-confirm", "data-key-label", "data-confirm-yes"}
SPOKEN_ARGUMENT = re.compile(r"""\b(?:title|text|label|action_label|remedy)=(["'])(.*?)\1""")
NOT_READ = {"kbd", "code", "pre", "script", "style", "symbol"}
VOID = {"input", "br", "meta", "link", "img", "hr", "path", "circle"}
ATTRIBUTE = re.compile(r'\b[\w-]+="[^"]*"')  # of a tag that another template, or another branch, begins
WORD = re.compile(r"[^\W\d_]{2,}")
# The same in every language: names, units, and examples of what a person types.
SAME = re.compile(
    r"\b(?:Mnemoscope|IDE|API|MCP|JSON Schema|JSON|Python|TypeScript|SHA-256|stdout|stderr|py|mcp|ms|pgvector)\b"
    r"|\S*\w[/.=]\w\S*|API_KEY=…|Authorization: Bearer …|DONE!|mylab|npx -y|\"Berlin\" in [\w.]+"
)


class Spoken(HTMLParser):
    """The texts and the spoken attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._around: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.texts += [value for name, value in attrs if value and name in SPOKEN_ATTRIBUTES]
        if tag not in VOID:
            self._around.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._around and self._around.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not NOT_READ.intersection(self._around):
            self.texts.append(ATTRIBUTE.sub("", data))


def untranslated(template: str) -> Iterator[str]:
    source = TRANSLATED.sub("", template)
    page = Spoken()
    page.feed(TAG.sub("", source))
    arguments = [match[2] for tag in TAG.findall(source) for match in SPOKEN_ARGUMENT.finditer(tag)]
    yield from (text.strip() for text in (*page.texts, *arguments) if WORD.search(SAME.sub("", text)))


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_a_template_has_no_text_that_cannot_be_translated(path: Path) -> None:
    assert list(untranslated(path.read_text())) == []


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("<p>Some words</p>", ["Some words"]),
        ('<p title="A hint">{% translate "Words" %}</p>', ["A hint"]),
        ('{% include "a.html" with title="No agents" %}', ["No agents"]),
        ('{% include "a.html" with title=_("No agents") %}', []),
        ("{% blocktranslate %}Step {{ number }}{% endblocktranslate %} · {{ step }}", []),
    ],
)
def test_such_a_text_is_found(template: str, found: list[str]) -> None:
    assert list(untranslated(template)) == found


def hidden(source: str) -> Iterator[str]:
    """Marked texts that are not found: put together when the line runs, or within an f-string."""
    tree = ast.parse(source)
    in_strings = {call for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for call in marked(node)}
    for call in marked(tree):
        given = call.args[0]
        if isinstance(given, (ast.JoinedStr, ast.BinOp)) or (isinstance(given, ast.Constant) and call in in_strings):
            yield ast.unparse(call)


def marked(tree: ast.AST) -> Iterator[ast.Call]:
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return (call for call in calls if isinstance(call.func, ast.Name) and call.func.id in MARKS)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_marked_text_of_python_can_be_found(path: Path) -> None:
    assert list(hidden(path.read_text())) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("""_("Words")""", []),
        ("""_(f"{count} words")""", ["_(f'{count} words')"]),
        ("""_("Words" + name)""", ["_('Words' + name)"]),
        ("""f"{_('words')} {count}\"""", ["_('words')"]),
        ("""f"{_(word)} {count}\"""", []),
    ],
)
def test_such_a_marked_text_is_noticed(source: str, found: list[str]) -> None:
    assert list(hidden(source)) == found
