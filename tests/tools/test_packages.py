"""Sets of packages, installed by the real uv from an index on this machine."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest
from django.conf import settings

from agents_core.tools import packages
from agents_core.tools.packages import PackageSet, PackagesUnavailable, packages_folder, remove_unused
from tests.tools.index import PackageIndex

GREETING = "def greet():\n    return 'hello'\n"


def ready(wanted: PackageSet, within_s: float) -> str:
    return asyncio.run(wanted.ready(within_s))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages of a test are its own."""
    monkeypatch.setattr(packages, "packages_folder", lambda: tmp_path / "packages")


def test_a_set_is_installed_once_with_what_it_needs_and_is_read_only_after(index: PackageIndex) -> None:
    index.add("greeting", GREETING, needs=["words>=1"])
    index.add("words", "")
    wanted = PackageSet(("greeting",))
    assert wanted.state == "absent"
    folder = Path(ready(wanted, 30))
    assert (wanted.state, wanted.installed) == ("installed", ["greeting 1.0", "words 1.0"])
    assert "greeting==1.0" in wanted.log
    modes = {path.stat().st_mode & 0o222 for path in (folder, *folder.rglob("*"))}
    assert modes == {0}
    index.asked.clear()
    assert ready(PackageSet(("greeting",)), 0) == str(folder)
    assert index.asked == []


def test_sets_differ_by_what_they_ask_for() -> None:
    assert PackageSet(("a",)).digest != PackageSet(("a==1",)).digest
    assert PackageSet(("a", "b")).digest != PackageSet(("ab",)).digest


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("nothere", "There is no package named nothere"),
        ("greeting==2.0", "There is no greeting==2.0"),
        ("old", "old has no wheel for Python 3"),
        ("needy", "There is no package named nothere"),
        ("sourced", "sourced has no wheel for Python 3"),
    ],
)
def test_what_cannot_be_installed_says_why(index: PackageIndex, wanted: str, told: str) -> None:
    index.add("greeting", GREETING)
    index.add("old", "", tag="cp27-cp27m-win32")
    index.add("needy", "", needs=["nothere"])
    (index.root / "sourced").mkdir()
    (index.root / "sourced" / "sourced-1.0.tar.gz").write_bytes(b"")
    with pytest.raises(PackagesUnavailable) as refused:
        ready(PackageSet((wanted,)), 30)
    assert told in refused.value.message
    assert PackageSet((wanted,)).state == "failed"
    assert not PackageSet((wanted,)).folder.exists()


def test_an_index_out_of_reach_is_told_and_tried_again_when_asked(
    index: PackageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.add("greeting", GREETING)
    wanted = PackageSet(("greeting",))
    with monkeypatch.context() as patch:
        patch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/")
        with pytest.raises(PackagesUnavailable, match="index could not be reached"):
            ready(wanted, 30)
    with pytest.raises(PackagesUnavailable, match="index could not be reached"):
        ready(wanted, 30)
    wanted.install()
    assert (wanted.state, wanted.failure) == ("installed", "")


def test_a_call_that_cannot_wait_longer_says_so_and_the_log_grows_meanwhile(index: PackageIndex) -> None:
    index.add("greeting", GREETING)
    index.open.clear()
    wanted = PackageSet(("greeting",))
    with pytest.raises(PackagesUnavailable, match=r"\(greeting\) are still being installed"):
        ready(wanted, 1)
    assert wanted.state == "installing"
    index.open.set()
    assert ready(wanted, 30) == str(wanted.folder)


def test_many_that_want_a_set_at_once_install_it_once(index: PackageIndex) -> None:
    index.add("greeting", GREETING)
    threads = [Thread(target=PackageSet(("greeting",)).install) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert PackageSet(("greeting",)).state == "installed"
    assert len([path for path in index.asked if path.endswith(".whl")]) <= 2  # uv asks for a wheel's facts first.


INSTALLER = """
import sys
import django
django.setup()
from pathlib import Path
from agents_core.tools import packages
packages.packages_folder = lambda: Path(sys.argv[1])
packages.PackageSet(("greeting",)).install()
"""


def test_a_process_that_is_killed_on_the_way_leaves_nothing_half_done(index: PackageIndex) -> None:
    index.add("greeting", GREETING)
    index.open.clear()
    wanted = PackageSet(("greeting",))
    process = subprocess.Popen(
        [sys.executable, "-c", INSTALLER, str(packages.packages_folder())], cwd=settings.BASE_DIR, env=os.environ.copy()
    )
    while wanted.state != "installing" or not index.asked:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert wanted.state == "installing"  # uv lives on, and holds the lock.
    index.open.set()
    assert ready(wanted, 30) == str(wanted.folder)
    assert not packages.packages_folder().joinpath(f"{wanted.digest}.new").exists()


def test_sets_that_no_tool_names_are_removed_an_hour_after_their_last_use(index: PackageIndex) -> None:
    index.add("greeting", GREETING)
    index.add("words", "")
    index.add("fresh", "")
    old, used, fresh = (PackageSet((name,)) for name in ("greeting", "words", "fresh"))
    for one in (old, used, fresh):
        ready(one, 30)
    half_made = packages.packages_folder() / f"{'0' * 64}.new" / "torch"
    half_made.mkdir(parents=True)
    for place in packages.packages_folder().iterdir():
        if not place.name.startswith(fresh.digest):
            os.utime(place, (time.time() - 4000,) * 2)
    assert remove_unused([used]) == 2
    assert [one.state for one in (old, used, fresh)] == ["absent", "installed", "installed"]
    assert not half_made.parent.exists()
    assert remove_unused([used]) == 0


def test_a_tool_without_requirements_has_no_folder() -> None:
    assert ready(PackageSet(()), 0) == ""
    PackageSet(()).start()
    assert not packages_folder().joinpath(PackageSet(()).digest).exists()
