"""What every page template needs: icons, times, and numbers as people read them.

The filters take None for "not known" and give an empty string, never a made-up zero.
"""

import datetime as dt
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from django import template
from django.conf import settings
from django.template.loader import get_template
from django.utils import timezone
from django.utils.translation import gettext as _

from ade.run_words import why
from ade.script_words import script_words as words

register = template.Library()

SEGMENT_HUES = {
    "system": "system",
    "system_instructions": "system",
    "rules": "system",
    "metadata": "system",
    "tool_definitions": "tools",
    "tool": "tools",
    "tools": "tools",
    "core": "core",
    "core_memory": "core",
    "block": "core",
    "summary": "summary",
    "message": "messages",
    "messages": "messages",
    "tool_return": "toolreturn",
    "file": "files",
}


class UnknownIconError(LookupError):
    """A template names an icon that partials/_icons.html does not draw."""


@cache
def icon_names() -> frozenset[str]:
    """The icons that can be drawn, as named in partials/_icons.html."""
    sprite = get_template("ade/partials/_icons.html").render()
    return frozenset(re.findall(r'<symbol id="icon-([a-z-]+)"', sprite))


@register.inclusion_tag("ade/partials/_icon.html")
def icon(name: str) -> dict[str, str]:
    """An icon, 14 pixels, in the colour of its text; hidden from screen readers, so label what holds it.

    Raises:
        UnknownIconError: no such icon.
    """
    if name not in icon_names():
        raise UnknownIconError(f"No icon {name!r}; there are: {', '.join(sorted(icon_names()))}.")
    return {"name": name}


@register.inclusion_tag("ade/partials/_time.html")
def when(at: dt.datetime | None) -> dict[str, Any]:
    """A moment as "2 min ago" that the page keeps up to date, with the full time on hover; nothing for None."""
    return {"at": at}


@register.simple_tag
def languages() -> Sequence[tuple[str, str]]:
    """Those that are installed, each with its own name, where there is one to choose."""
    return settings.LANGUAGES if len(settings.LANGUAGES) > 1 else ()


@register.inclusion_tag("ade/partials/_script_words.html")
def script_words() -> dict[str, Any]:
    """The words of the scripts, where they are not in English."""
    return {"words": words()}


@register.filter
def tokens(count: int | None) -> str:
    """19612 as "19,612": any whole number that is read exactly."""
    return "" if count is None else f"{count:,}"


@register.filter
def short(count: int | None) -> str:
    """19612 as "19.6k", 32000 as "32k", 1200000 as "1.2M": a number that is read at a glance."""
    if count is None:
        return ""
    if abs(count) < 1000:
        return str(count)
    # 999,950 and more would round up to "1000.0k".
    size, unit = (1_000_000, "M") if abs(count) >= 999_950 else (1000, "k")
    return f"{count / size:.1f}".removesuffix(".0") + unit


@register.filter
def ms(milliseconds: float | None) -> str:
    """A duration given in milliseconds: "412 ms", "1.10 s", "1 min 12 s"."""
    if milliseconds is None:
        return ""
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 59_995:
        return f"{milliseconds / 1000:.2f} s"
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    return f"{minutes} min {seconds} s"


@register.filter
def usd(dollars: float | None) -> str:
    """Money in US dollars: "$0.42", "$0.004" below ten cents, "<$0.001" below a tenth of a cent."""
    if dollars is None:
        return ""
    if 0 < dollars < 0.001:
        return "<$0.001"
    return f"${dollars:,.3f}" if 0 < dollars < 0.0995 else f"${dollars:,.2f}"


@register.filter
def ago(at: dt.datetime | None) -> str:
    """How long ago a moment was: "now", "2 min ago", "3 h ago", "yesterday", "5 days ago", then its date.

    static/ade/js/times.js says the same words; change both.
    """
    if at is None:
        return ""
    seconds = (timezone.now() - at).total_seconds()
    if seconds < 45:
        return _("now")
    if seconds < 45 * 60:
        return _("{number} min ago").format(number=max(1, round(seconds / 60)))
    if seconds < 22 * 3600:
        return _("{number} h ago").format(number=max(1, round(seconds / 3600)))
    days = max(1, round(seconds / 86_400))
    if days == 1:
        return _("yesterday")
    return _("{days} days ago").format(days=days) if days < 30 else at.date().isoformat()


register.filter("why", why)


@register.filter
def segment_hue(kind: str) -> str:
    """The data-kind that colours a context segment; "other" (grey) for a kind the design has no hue for."""
    return SEGMENT_HUES.get(kind, "other")
