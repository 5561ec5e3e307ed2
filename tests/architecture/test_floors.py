"""Imports go down the floors only: the contracts stand in pyproject.toml."""

from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports


def test_imports_keep_to_the_floors() -> None:
    assert lint_imports() == EXIT_STATUS_SUCCESS
