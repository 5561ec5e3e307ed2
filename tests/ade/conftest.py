"""Fixtures of the pages' tests. Django is not set up yet when this file is imported."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings


@pytest.fixture
def builtin_tools(transactional_db: None) -> None:
    """The tools that are part of the product, which an emptied database has lost."""
    from agents_core.actions.tools import ensure_builtin_tools

    ensure_builtin_tools()


@pytest.fixture
def translating(settings: Settings) -> Iterator[None]:
    """Texts are looked up, as where a second language is installed."""
    from django.utils.translation import _trans  # type: ignore[attr-defined]

    settings.USE_I18N = True
    vars(_trans).clear()  # it keeps the functions that it chose by the setting
    yield
    settings.USE_I18N = False
    vars(_trans).clear()
