from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.index import PackageIndex


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PackageIndex]:
    """The only index that uv knows of; its cache is empty."""
    root = tmp_path / "index"
    root.mkdir()
    served = PackageIndex(root)
    monkeypatch.setenv("UV_DEFAULT_INDEX", served.url)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    for name in (
        "UV_FIND_LINKS",
        "UV_EXTRA_INDEX_URL",
        "UV_INDEX",
        "HTTP_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    yield served
    served.close()
