"""What a call of a TypeScript tool gives, in each sandbox of this machine."""

import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from agents_core.errors import Refused
from agents_core.sandbox.base import Limits, Sandbox, SandboxCall, SandboxOutcome
from agents_core.sandbox.choose import choose
from agents_core.tools.environment import environment
from agents_core.tools.execute import run_source
from agents_core.tools.languages import Language
from agents_core.tools.typescript.run import run
from tests.tools.typescript_sources import CALLED

pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js"),
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["bubblewrap", "landlock"])
async def sandbox(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    chosen = await choose(request.param)
    if not chosen.status().available:
        pytest.skip(chosen.status().reason)
    yield chosen
    await chosen.aclose()


async def called(sandbox: Sandbox, function: str, args: dict[str, Any] | None = None, **further: Any) -> SandboxOutcome:
    return await run(sandbox, SandboxCall(CALLED, function, args or {}, **further))


async def test_arguments_are_given_by_name_and_the_value_and_output_come_back(sandbox: Sandbox) -> None:
    outcome = await called(sandbox, "add", {"words": "é", "x": 1})
    assert (outcome.status, outcome.value) == ("ok", {"total": 11, "words": "é"})
    assert (outcome.stdout, outcome.stderr) == ("printed\n", "complained\n")


@pytest.mark.parametrize(
    ("args", "words"), [({}, "add misses x; it takes: x, y, words"), ({"x": 1, "z": 2}, "add has no parameter z")]
)
async def test_arguments_that_do_not_fit_are_told(sandbox: Sandbox, args: dict[str, Any], words: str) -> None:
    outcome = await called(sandbox, "add", args)
    assert outcome.status == "error"
    assert words in outcome.error


async def test_an_error_is_told_with_the_lines_of_the_source(sandbox: Sandbox) -> None:
    outcome = await called(sandbox, "fail", {"x": 7})
    lines = CALLED.splitlines()
    thrown = next(n for n, line in enumerate(lines, 1) if "because" in line)
    calling = next(n for n, line in enumerate(lines, 1) if "  inner(x)" in line)
    assert outcome.error == f"TypeError: no 7: because (line {thrown})"
    assert outcome.traceback.splitlines()[1:] == [
        f"    at inner (tool.ts:{thrown})",
        f"    at Module.fail (tool.ts:{calling})",
    ]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("wait", "never returned"),
        ("leave", "exit code 3"),
        ("later", "Error: late (line "),
        ("eat", "more memory than a call may"),
        ("forge", "never returned"),
        ("much", "the limit is 4,194,304"),
        ("nobody", "There is no exported function `nobody`"),
    ],
)
async def test_a_call_that_gives_nothing_says_why(sandbox: Sandbox, function: str, words: str) -> None:
    outcome = await called(sandbox, function)
    assert (outcome.status, outcome.value) == ("error", None)
    assert words in outcome.error


async def test_a_call_that_does_not_end_is_stopped(sandbox: Sandbox) -> None:
    outcome = await called(sandbox, "spin", limits=Limits(wall_s=1.0))
    assert (outcome.status, outcome.error) == ("timeout", "Stopped after 1 s, the call's limit.")


async def test_what_json_cannot_hold_comes_back_as_the_nearest_that_it_can(sandbox: Sandbox) -> None:
    outcome = await called(sandbox, "give", env={"NAME": "Ada"})
    shown = ["10", "NaN", {"a": [1]}, "1970-01-01T00:00:00.000Z", None, "() => 1", "Error: told"]
    assert outcome.value["given"] == shown
    assert outcome.value["name"] == "Ada"
    assert set(outcome.value["seen"]) <= {"HOME", "LANG", "NAME", "OPENSSL_CONF", "PATH", "TMPDIR"}


async def test_a_source_that_cannot_be_read_is_told_with_its_line(sandbox: Sandbox) -> None:
    outcome = await run(sandbox, SandboxCall("export function f() {\n  let = = 2\n}", "f", {}))
    assert outcome.status == "error"
    assert outcome.error.endswith("(line 2)")


async def test_a_typescript_tool_cannot_be_recorded() -> None:
    with pytest.raises(Refused, match="Only Python tools can be stepped through"):
        await run_source(CALLED, "add", {"x": 1}, environment(()), record=True, written_in=Language.TYPESCRIPT)
