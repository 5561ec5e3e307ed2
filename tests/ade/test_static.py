"""The front end: nothing from other hosts, colours that can be read, vendored files as listed, numbers in words."""

import datetime as dt
import hashlib
import itertools
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template import engines
from django.template.loader import render_to_string
from django.utils import timezone

from ade.templatetags import ade

ROOT = Path(settings.BASE_DIR)
CSS = ROOT / "static/ade/css"
JS = ROOT / "static/ade/js"
VENDOR = ROOT / "static/vendor"
TEMPLATES = sorted((ROOT / "templates/ade").rglob("*.html"))

THEMES = ("light", "dark")
SURFACES = ("bg", "panel", "panel2")
INKS = ("text", "dim", "faint", "accent", "ok", "warn", "bad", "pause")
SEGMENTS = ("system", "tools", "core", "summary", "messages", "toolreturn", "files")
WCAG_AA = 4.5


def palette(theme: str) -> dict[str, str]:
    """Every plain colour of tokens.css in one theme: name -> #rrggbb."""
    declared = re.findall(r"--([\w-]+): (?:light-dark\((#\w+), (#\w+)\)|(#\w+));", (CSS / "tokens.css").read_text())
    return {name: only or (light if theme == "light" else dark) for name, light, dark, only in declared}


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mixed(colour: str, onto: str, share: float) -> str:
    """As CSS color-mix in srgb: ``share`` of ``colour``, the rest ``onto``."""
    parts = ((int(colour[at : at + 2], 16), int(onto[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in parts)


def surfaces(colours: dict[str, str]) -> dict[str, str]:
    """What text lies on: the plain surfaces, each also under the pointer, and the step where a run is paused."""
    plain = {name: colours[name] for name in SURFACES}
    hovered = {f"{name} hovered": mixed(colours["text"], colour, 0.05) for name, colour in plain.items()}
    return plain | hovered | {"here": mixed(colours["pause-fill"], colours["bg"], 0.08)}


@pytest.mark.parametrize("theme", THEMES)
def test_every_text_colour_reads_on_every_surface(theme: str) -> None:
    colours = palette(theme)
    inks = [*INKS, *(f"ink-{kind}" for kind in SEGMENTS)]
    ratios = {
        (ink, name): contrast(colours[ink], colour)
        for ink, (name, colour) in itertools.product(inks, surfaces(colours).items())
    }
    assert {pair: round(ratio, 2) for pair, ratio in ratios.items() if ratio < WCAG_AA} == {}


@pytest.mark.parametrize("theme", THEMES)
def test_text_on_fills_reads(theme: str) -> None:
    colours = palette(theme)
    pairs = [("onaccent", "accent"), ("onbad", "bad"), ("addt", "add"), ("delt", "del")]
    pairs += [("onhue", f"seg-{kind}") for kind in SEGMENTS]
    assert [pair for pair in pairs if contrast(colours[pair[0]], colours[pair[1]]) < WCAG_AA] == []


def test_colours_are_named_in_tokens_only() -> None:
    strays = {
        sheet.name: found
        for sheet in CSS.glob("*.css")
        if sheet.name != "tokens.css" and (found := re.findall(r"#[0-9a-f]{3,8}\b|\brgba?\(", sheet.read_text()))
    }
    assert strays == {}


def test_every_variable_used_is_defined() -> None:
    sheets = "\n".join(sheet.read_text() for sheet in CSS.glob("*.css"))
    defined = set(re.findall(r"(--[\w-]+)\s*:", sheets))
    handed_over = {"--tokens", "--limit", "--n", "--m", "--at", "--for", "--v", "--x", "--y", "--w", "--h", "--lines"}
    sized = {f"--{pane}" for pane in ("w-outline", "w-aside", "w-aside-narrow", "w-aside-even", "h-drawer", "h-below")}
    assert set(re.findall(r"var\((--[\w-]+)", sheets)) - defined - handed_over - sized == set()


def test_nothing_is_loaded_from_another_host() -> None:
    own = [*CSS.glob("*.css"), *JS.glob("*.js"), *TEMPLATES]
    assert [
        path.name
        for path in own
        if re.search(r"""(src|href|url|from|import)\s*[=(]?\s*["']?(https?:)?//\w""", path.read_text())
    ] == []


def test_templates_hold_no_scripts_of_their_own() -> None:
    inline = re.compile(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|hx-on|javascript:|<style", re.IGNORECASE)
    assert [path.name for path in TEMPLATES if inline.search(path.read_text())] == []


def test_vendored_files_are_those_listed() -> None:
    listed = dict(
        re.findall(r"^\| `([^`]+)` \|.*`([0-9a-f]{64})` \|$", (VENDOR / "README.md").read_text(), re.MULTILINE)
    )
    scripts = {path.relative_to(VENDOR).as_posix(): path for path in VENDOR.rglob("*.js") if path.name != "entry.js"}
    assert {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in scripts.items()} == listed


def test_every_vendored_folder_holds_its_licence() -> None:
    assert [folder.name for folder in VENDOR.iterdir() if folder.is_dir() and not (folder / "LICENSE").is_file()] == []


def test_lock_file_names_no_registry() -> None:
    assert "://" not in (VENDOR / "codemirror/package-lock.json").read_text()


def test_every_module_is_loaded_and_every_import_exists() -> None:
    imports = {
        path.name: re.findall(r"""(?:from|import)\s*\(?["']\./([\w.-]+)["']""", path.read_text())
        for path in JS.glob("*.js")
    }
    imported = set(itertools.chain.from_iterable(imports.values()))
    assert imported | {"app.js", "early.js", "swagger-theme.js"} == set(imports)


def test_base_page_names_only_files_that_exist() -> None:
    page = render_to_string("ade/base.html", {"facts": [], "address": "localhost"})
    addresses = re.findall(rf'(?:src|href)="{settings.STATIC_URL}([^"]+)"', page)
    assert addresses
    assert [address for address in addresses if finders.find(address) is None] == []


def test_every_icon_named_in_a_template_is_drawn() -> None:
    named = {
        name for path in TEMPLATES for name in re.findall(r'{% icon (?:icon\|default:)?"([\w-]+)"', path.read_text())
    }
    assert named - ade.icon_names() == set()


def test_unknown_icon_is_refused_by_name() -> None:
    template = engines["django"].from_string('{% load ade %}{% icon "unicorn" %}')
    with pytest.raises(ade.UnknownIconError, match=r"'unicorn'.*play"):
        template.render()


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (None, ""),
        (0, "0"),
        (999, "999"),
        (1000, "1k"),
        (19_612, "19.6k"),
        (32_000, "32k"),
        (999_949, "999.9k"),
        (999_950, "1M"),
        (1_240_000, "1.2M"),
    ],
)
def test_short_numbers(given: int | None, text: str) -> None:
    assert ade.short(given) == text


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (None, ""),
        (0, "0 ms"),
        (9.4, "9 ms"),
        (412, "412 ms"),
        (999.6, "1.00 s"),
        (1100, "1.10 s"),
        (59_994, "59.99 s"),
        (59_996, "1 min 0 s"),
        (72_000, "1 min 12 s"),
    ],
)
def test_durations(given: float | None, text: str) -> None:
    assert ade.ms(given) == text


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (None, ""),
        (0, "$0.00"),
        (0.0004, "<$0.001"),
        (0.004, "$0.004"),
        (0.0194, "$0.019"),
        (0.0996, "$0.10"),
        (0.42, "$0.42"),
        (1234.5, "$1,234.50"),
    ],
)
def test_money(given: float | None, text: str) -> None:
    assert ade.usd(given) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "now"),
        (3, "now"),
        (50, "1 min ago"),
        (125, "2 min ago"),
        (3600, "1 h ago"),
        (86_400, "yesterday"),
        (5 * 86_400, "5 days ago"),
    ],
)
def test_moments(seconds: int, text: str) -> None:
    assert ade.ago(timezone.now() - dt.timedelta(seconds=seconds)) == text


def test_old_moments_are_dates() -> None:
    assert ade.ago(dt.datetime(2001, 2, 3, tzinfo=dt.UTC)) == "2001-02-03"


def test_unknown_count_is_not_shown_as_zero() -> None:
    assert ade.tokens(None) == ""


def test_segment_of_unknown_kind_takes_no_hue_that_means_something_else() -> None:
    assert ade.segment_hue("from the future") == "other"
