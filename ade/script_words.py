"""What the scripts of the pages say (static/ade/js/words.js)."""

from django.conf import settings
from django.utils.translation import get_language, gettext, gettext_noop

_WORDS = (
    gettext_noop("Copied the link {link}"),
    gettext_noop("Copied"),
    gettext_noop("The browser refused to copy. Select the text and copy it by hand."),
    gettext_noop("Yes, go on"),
    gettext_noop("Code"),
    gettext_noop("Notifications, {count} new"),
    gettext_noop("Notifications"),
    gettext_noop("recent"),
    gettext_noop("agent"),
    gettext_noop("tool"),
    gettext_noop("block"),
    gettext_noop("folder"),
    gettext_noop("group"),
    gettext_noop("MCP server"),
    gettext_noop("{count} result"),
    gettext_noop("{count} results"),
    gettext_noop("Nothing of that name"),
    gettext_noop("live"),
    gettext_noop("of {last}"),
    gettext_noop("step {step}"),
    gettext_noop("deleted"),
    gettext_noop("reconnecting"),
    gettext_noop("before"),
    gettext_noop("returns"),
    gettext_noop("raises"),
    gettext_noop("line {line} in {function}"),
    gettext_noop("{depth} deep"),
    gettext_noop("step {step}, line {line}"),
    gettext_noop("Theme: {theme}"),
    gettext_noop("system"),
    gettext_noop("dark"),
    gettext_noop("light"),
    gettext_noop("now"),
    gettext_noop("{number} min ago"),
    gettext_noop("{number} h ago"),
    gettext_noop("yesterday"),
    gettext_noop("{days} days ago"),
    gettext_noop("working"),
    gettext_noop("queued"),
    gettext_noop("paused"),
    gettext_noop("waits"),
    gettext_noop("failed"),
    gettext_noop("{path} answered {status}"),
    gettext_noop("{path}: the server did not answer. Is it running?"),
    gettext_noop("{at} of {count}"),
    gettext_noop("Done"),
    gettext_noop("Next"),
)


def script_words() -> dict[str, str]:
    """Those that are other words in the language of the page, by the English ones."""
    if get_language() == settings.LANGUAGE_CODE:
        return {}
    return {text: told for text in _WORDS if (told := gettext(text)) != text}
