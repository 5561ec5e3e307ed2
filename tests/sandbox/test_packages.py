"""What a tool imports from a folder of installed packages, and the zygotes that keep it at hand."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from agents_core.sandbox import zygotes
from agents_core.sandbox.base import PackagesMissing, SandboxUnavailable
from agents_core.sandbox.zygotes import Contents
from tests.sandbox.runners import Here, Runner

pytestmark = pytest.mark.asyncio(loop_scope="session")

_USE = "import counted\ndef f():\n    return counted.VALUE"


def folder_with(public: Path, name: str, **modules: str) -> str:
    folder = public / name
    folder.mkdir()
    for module, source in modules.items():
        (folder / f"{module}.py").write_text(source)
    return str(folder)


@pytest.fixture(params=["bubblewrap", "landlock"])
async def own(request: pytest.FixtureRequest) -> Here:
    runner = Here(request.param)
    try:
        await runner.run("def f():\n    return 1")
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    return runner


async def test_modules_of_the_folder_are_imported_after_the_standard_library(sandbox: Runner, public: Path) -> None:
    packages = folder_with(public, f"order-{sandbox.kind}", counted="VALUE = 7", json="raise ValueError('not mine')")
    source = "import json\n" + _USE
    assert (await sandbox.run(source, packages=packages)).value == 7


async def test_call_without_packages_does_not_see_those_of_another(sandbox: Runner, public: Path) -> None:
    packages = folder_with(public, f"alone-{sandbox.kind}", counted="VALUE = 7")
    with_them, without = await sandbox.together(sandbox.run(_USE, packages=packages), sandbox.run(_USE))
    assert with_them.value == 7
    assert without.error == (
        "ModuleNotFoundError: No module named 'counted'; a tool has the standard library and its packages (line 1)"
    )


async def test_folder_is_read_only(sandbox: Runner, public: Path) -> None:
    packages = folder_with(public, f"closed-{sandbox.kind}", counted="VALUE = 7")
    subprocess.run(["chmod", "-R", "a+rwX", packages], check=True)  # noqa: ASYNC221
    source = """
import counted, os
def f():
    held = []
    for path in (counted.__file__, os.path.dirname(counted.__file__) + "/new.py"):
        try:
            open(path, "w")
        except OSError:
            held.append(path)
    return len(held)
"""
    assert (await sandbox.run(source, packages=packages)).value == 2
    assert (await sandbox.run(_USE, packages=packages)).value == 7


async def test_preloaded_module_is_there_already_under_bubblewrap(own: Here, public: Path) -> None:
    packages = folder_with(public, f"early-{own.kind}", counted="VALUE = 7")
    source = "import sys\nEARLY = 'counted' in sys.modules\nimport counted\ndef f():\n    return [EARLY, counted.VALUE]"
    outcome = await own.run(source, packages=packages, preload=("counted",))
    assert outcome.value == [own.kind == "bubblewrap", 7]
    await own.aclose()


async def test_preloading_is_never_done_outside_the_walls(own: Here, public: Path) -> None:
    target = public / f"written-{own.kind}"
    packages = folder_with(public, f"outside-{own.kind}", counted=f"open({str(target)!r}, 'w')")
    outcome = await own.run(_USE, packages=packages, preload=("counted",))
    assert outcome.status == "error"
    assert not target.exists()
    await own.aclose()


@pytest.mark.parametrize(
    ("module", "error"),
    [
        ("raise ValueError('unfit')", "ValueError: unfit (line 1)"),
        ("import os\nos._exit(3)", "ended itself with exit code 3"),
        ("import ctypes\nctypes.string_at(0)", "SIGSEGV"),
        ("import time\nwhile True: time.sleep(1)", "Stopped after 0.5 s"),
    ],
)
async def test_preload_that_fails_is_shown_by_the_call(
    own: Here, public: Path, module: str, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zygotes, "_READY_S", 1.0)
    packages = folder_with(public, f"failing-{own.kind}-{hash(module)}", counted=module)
    outcome = await own.run(_USE, packages=packages, preload=("counted",), wall_s=0.5)
    assert error in outcome.error
    fine = await own.run("def f():\n    return 'fine'", packages=packages, preload=("counted",))
    assert fine.value == "fine"
    await own.aclose()


async def test_folder_that_vanished_is_told_and_one_made_anew_is_used(own: Here, public: Path) -> None:
    packages = folder_with(public, f"moved-{own.kind}", counted="VALUE = 1")
    assert (await own.run(_USE, packages=packages)).value == 1
    shutil.rmtree(packages)
    with pytest.raises(PackagesMissing, match="is gone .* Install them again"):
        await own.run(_USE, packages=packages)
    folder_with(public, f"moved-{own.kind}", counted="VALUE = 2")
    assert (await own.run(_USE, packages=packages)).value == 2
    await own.aclose()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs tools as another user")
async def test_folder_that_is_closed_to_tools_is_told(own: Here, public: Path) -> None:
    packages = folder_with(public, f"private-{own.kind}", counted="VALUE = 1")
    os.chmod(packages, 0o700)  # noqa: PTH101
    with pytest.raises(PackagesMissing, match="may not read .*: chmod -R a\\+rX it"):
        await own.run(_USE, packages=packages)
    await own.aclose()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs tools as another user")
async def test_folder_in_a_place_closed_to_tools_is_imported_from(own: Here, public: Path) -> None:
    home = public / f"home-{own.kind}"
    home.mkdir(mode=0o700)
    packages = folder_with(home, "packages", counted="VALUE = 7")
    assert (await own.run(_USE, packages=packages)).value == 7
    await own.aclose()


async def test_few_zygotes_stay_and_the_idle_end(own: Here, public: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zygotes, "_MOST_WITH_PACKAGES", 2)
    folders = [folder_with(public, f"few-{own.kind}-{n}", counted=f"VALUE = {n}") for n in range(4)]
    for n, packages in enumerate(folders):
        assert (await own.run(_USE, packages=packages)).value == n
    assert _running(own) == ["", *folders[2:]]
    assert (await own.run(_USE, packages=folders[0])).value == 0
    assert _running(own) == ["", folders[3], folders[0]]
    monkeypatch.setattr(zygotes, "_IDLE_S", 0.2)
    await own.run(_USE, packages=folders[0])
    async with asyncio.timeout(5):
        while _running(own) != [""]:
            await asyncio.sleep(0.05)
    await own.aclose()


async def test_calls_of_different_packages_run_side_by_side(own: Here, public: Path) -> None:
    folders = [folder_with(public, f"many-{own.kind}-{n}", counted=f"VALUE = {n}") for n in range(8)]
    slow = _USE.replace("return", "import time; time.sleep(0.2); return")
    outcomes = await own.together(*[own.run(slow, packages=packages) for packages in folders])
    assert [outcome.value for outcome in outcomes] == list(range(8))
    assert (await own.run(_USE, packages=folders[0])).value == 0
    assert len(_running(own)) <= 1 + zygotes._MOST_WITH_PACKAGES
    await own.aclose()


def _running(own: Here) -> list[str]:
    assert Contents() in own.sandbox._zygotes._tasks
    return [contents.packages for contents in own.sandbox._zygotes._tasks]
