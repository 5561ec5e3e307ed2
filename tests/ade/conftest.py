"""Fixtures of the pages' tests. Django is not set up yet when this file is imported."""

import pytest


@pytest.fixture
def builtin_tools(transactional_db: None) -> None:
    """The tools that are part of the product, which an emptied database has lost."""
    from agents_core.actions.tools import ensure_builtin_tools

    ensure_builtin_tools()
