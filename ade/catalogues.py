"""The languages that the IDE can be read in: one for each catalogue that somebody made."""

from pathlib import Path

from django.conf.locale import LANG_INFO
from django.utils.translation import to_language


def languages(folder: Path) -> list[tuple[str, str]]:
    """English, then each language with a compiled catalogue in ``folder``: its code, and what it calls itself."""
    codes = sorted(to_language(path.parts[-3]) for path in folder.glob("*/LC_MESSAGES/django.mo"))
    return [("en", "English"), *((code, _name(code)) for code in codes if code != "en")]


def _name(code: str) -> str:
    return str(LANG_INFO.get(code, {}).get("name_local", code))
