"""The languages that tools are written in, and how a source of each is read."""

from collections.abc import Collection
from enum import StrEnum

from agents_core.errors import Refused
from agents_core.tools import schema
from agents_core.tools.schema import ToolSchema
from agents_core.tools.typescript import reading


class Language(StrEnum):
    """The values of ``Tool.source_type`` that can run here."""

    PYTHON = "python"
    TYPESCRIPT = "typescript"


def language(source_type: str | None) -> Language:
    """Raises ``Refused`` for one that cannot run here; nothing said is Python."""
    try:
        return Language(source_type or Language.PYTHON)
    except ValueError:
        raise Refused(f"The source_type is python or typescript, not {source_type!r:.40}.") from None


def derive(source: str, written_in: Language, modules: Collection[str] = ()) -> ToolSchema:
    """As ``agents_core.tools.schema.derive``, of a source in any language."""
    if written_in is Language.TYPESCRIPT:
        return reading.derive(source)
    return schema.derive(source, modules=modules)
