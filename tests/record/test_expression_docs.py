"""docs/watches.md tells the whole language."""

from pathlib import Path

from agents_core.record.expressions import FIELDS, NAMES
from agents_core.record.expressions.functions import FUNCTIONS

_PAGE = (Path(__file__).parents[2] / "docs" / "watches.md").read_text()


def test_every_name_and_function_is_told() -> None:
    told = [
        *(f"`{name}" for name in NAMES),
        *(f"`{name}.{field}`" for name, fields in FIELDS.items() for field in fields),
        *(f"`{name}(" for name in FUNCTIONS),
    ]
    assert [word for word in told if word not in _PAGE] == []
