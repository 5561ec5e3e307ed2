"""A recorded call: what a person steps through."""

import textwrap
from typing import Any

import pytest

from agents_core.sandbox.base import Limits, SandboxCall, SandboxOutcome
from tests.sandbox.runners import Runner

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.parametrize("sandbox", ["bubblewrap"], indirect=True, scope="session"),
]

LOOP = """
LIST = [n for n in (1, 2)]

def double(x):
    return x * 2

def f(count):
    total = 0
    for number in range(count):
        total += double(number)
        print(number)
    return total
"""


async def recorded(sandbox: Runner, source: str, args: dict[str, Any] | None = None, **limits: Any) -> SandboxOutcome:
    call = SandboxCall(textwrap.dedent(source), "f", args or {}, limits=Limits(**limits), record=True)
    return await sandbox.call(call)


async def test_each_line_of_the_tools_functions_is_a_step_before_it_runs(sandbox: Runner) -> None:
    outcome = await recorded(sandbox, LOOP, {"count": 1})
    assert (outcome.status, outcome.value, outcome.stdout) == ("ok", 0, "0\n")
    told = [(step.line, step.depth, step.function, step.event) for step in outcome.steps]
    assert told == [
        (8, 1, "f", "line"),
        (9, 1, "f", "line"),
        (10, 1, "f", "line"),
        (5, 2, "double", "line"),
        (5, 2, "double", "return"),
        (11, 1, "f", "line"),
        (9, 1, "f", "line"),
        (12, 1, "f", "line"),
        (12, 1, "f", "return"),
    ]
    assert [step.printed for step in outcome.steps][-4:] == [0, 2, 2, 2]
    assert outcome.steps[-1].note == "0"


async def test_a_step_has_the_variables_and_which_of_them_changed(sandbox: Runner) -> None:
    steps = (await recorded(sandbox, LOOP, {"count": 3})).steps
    assert steps[0].variables == (("count", "3"),)
    last = steps[-2]
    assert dict(last.variables) == {"count": "3", "total": "6", "number": "2"}
    lines = [(step.line, step.changed) for step in steps if step.function == "f"]
    assert lines[:4] == [(8, ("count",)), (9, ("total",)), (10, ("number",)), (11, ())]


async def test_an_error_is_a_step_where_it_was_raised_and_where_it_passed(sandbox: Runner) -> None:
    source = """
    def g():
        raise KeyError("gone")

    def f():
        try:
            g()
        except KeyError:
            return "caught"
    """
    outcome = await recorded(sandbox, source)
    assert outcome.value == "caught"
    raised = [(step.line, step.function, step.note) for step in outcome.steps if step.event == "exception"]
    assert raised == [(3, "g", "KeyError: 'gone'"), (7, "f", "KeyError: 'gone'")]
    assert [step.note for step in outcome.steps if step.event == "return"] == ["'caught'"]


async def test_a_failing_call_keeps_its_steps(sandbox: Runner) -> None:
    outcome = await recorded(sandbox, "def f():\n    x = 1\n    return x / 0")
    assert (outcome.status, outcome.error) == ("error", "ZeroDivisionError: division by zero (line 3)")
    assert [step.line for step in outcome.steps] == [2, 3, 3]


async def test_async_functions_and_generators_are_followed(sandbox: Runner) -> None:
    source = """
    def pairs():
        yield 1
        yield 2

    async def f():
        return sum(pairs())
    """
    outcome = await recorded(sandbox, source)
    assert outcome.value == 3
    assert [step.function for step in outcome.steps].count("pairs") == 5


async def test_a_long_call_is_recorded_in_part_and_still_ends(sandbox: Runner) -> None:
    outcome = await recorded(sandbox, "def f():\n    x = 0\n    while x < 100_000:\n        x += 1\n    return x")
    assert (outcome.status, outcome.value, len(outcome.steps)) == ("ok", 100_000, 1000)


async def test_large_variables_are_cut_and_the_recording_is_bounded(sandbox: Runner) -> None:
    source = """
    def f():
        text, rows = "x" * 10_000_000, list(range(1_000_000))
        wide = [str(n) * 50 for n in range(100)]
        for n in range(900):
            pass
    """
    outcome = await recorded(sandbox, source)
    assert outcome.status == "ok"
    assert 100 < len(outcome.steps) < 1000
    assert all(len(text) <= 400 for step in outcome.steps for _, text in step.variables)


@pytest.mark.parametrize("body", ["while True:\n        pass", "import time\n    time.sleep(60)"])
async def test_what_never_ends_is_stopped_in_time_to_show_its_steps(sandbox: Runner, body: str) -> None:
    outcome = await recorded(sandbox, f"def f():\n    {body}", wall_s=2.0, cpu_s=2.0)
    assert (outcome.status, outcome.error[:42]) == ("error", "Stopped: a recorded call may take 1.6 s (l")
    assert outcome.steps[0].line == 2


async def test_variables_that_cannot_be_shown_spoil_nothing(sandbox: Runner) -> None:
    source = """
    class Odd:
        def __repr__(self):
            raise RuntimeError("no")

    def f():
        odd, big, half = Odd(), 10 ** 5000, "\\ud83d"
        return 1
    """
    outcome = await recorded(sandbox, source)
    assert outcome.value == 1
    assert "Odd" in dict(outcome.steps[-1].variables)["odd"]


@pytest.mark.parametrize("forged", ["[1]", '{"a": 1}', '[{"line": []}]', '"x"', "null"])
async def test_a_forged_recording_is_no_recording(sandbox: Runner, forged: str) -> None:
    source = f"""
    import os
    def f():
        os.write(3, b'{{"value": 1, "steps": {forged}}}')
        os._exit(0)
    """
    outcome = await recorded(sandbox, source)
    assert (outcome.status, outcome.value, outcome.steps) == ("ok", 1, ())


async def test_a_comprehension_shows_only_variables_that_its_author_named(sandbox: Runner) -> None:
    steps = (await recorded(sandbox, "def f():\n    return [n for n in range(2)]")).steps
    assert {name for step in steps for name, _ in step.variables} == {"n"}


async def test_nothing_is_recorded_unasked(sandbox: Runner) -> None:
    assert (await sandbox.run(LOOP, {"count": 1})).steps == ()
