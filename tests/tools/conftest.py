import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.index import PackageIndex, only_index


@pytest.fixture
def index(tmp_path: Path) -> Iterator[PackageIndex]:
    before = dict(os.environ)
    with only_index(tmp_path, os.environ) as served:
        yield served
    os.environ.clear()
    os.environ.update(before)
