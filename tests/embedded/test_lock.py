from pathlib import Path

import pytest

from agents_core.embedded.errors import DatabaseUnavailable
from agents_core.embedded.lock import HomeLock


def test_a_home_in_use_is_refused_with_who_uses_it(tmp_path: Path) -> None:
    lock = HomeLock(tmp_path / "serve.lock", note="port 8283")
    with pytest.raises(DatabaseUnavailable, match=r"in use by process \d+, port 8283: stop that one"):
        HomeLock(tmp_path / "serve.lock", note="port 8284")
    lock.release()


def test_a_released_home_is_free_again(tmp_path: Path) -> None:
    HomeLock(tmp_path / "serve.lock", note="port 8283").release()
    HomeLock(tmp_path / "serve.lock", note="port 8284").release()
